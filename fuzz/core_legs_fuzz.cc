// Legs of any text: read or refused, never out of bounds, and what is read is within its limits.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/legs.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto legs = tb::parse_legs(text, tb::Date(20'000));
    if (!legs) {
        return 0;
    }
    if (legs->empty() || legs->size() > tb::kMaxLegs || text.size() > tb::kMaxLegsBytes) {
        std::abort();
    }
    for (const tb::OptionLeg& leg : *legs) {
        if (!(leg.strike > 0) || (leg.price && !(*leg.price >= 0)) ||
            (leg.contracts && *leg.contracts <= 0)) {
            std::abort();
        }
    }
    return 0;
}
