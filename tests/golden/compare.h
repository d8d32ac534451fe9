// Comparing an answer with the reference's recorded one (00 §5).
//
// Every member of the recorded answer must be in ours with the same value; members only we have are
// fine, except in the objects where the reference says "no value" by leaving a figure out.
// Numbers agree when |a-b| <= 1e-9*max(1,|b|) (1e-8 for sums kept incrementally).
//
// Thread-safe.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace tb::golden {

using Json = nlohmann::ordered_json;

// One line per difference: path, recorded value, ours.
[[nodiscard]] std::vector<std::string> differences(const Json& recorded, const Json& ours);

// Why members of this name are not compared; empty for all others.
[[nodiscard]] std::string reason_not_compared(const std::string& member);

}  // namespace tb::golden
