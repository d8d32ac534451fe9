// What the engine's error texts stand for. Thread-safe: pure functions. See also is_damage and
// lock_holder in database.h.
#pragma once

#include <string_view>

#include "core/result.h"

namespace tb::db {

// The engine's text as an Error with the code it stands for: kLocked (the message then begins with
// the holder's process id), kInterrupted, kResourceExhausted for memory and disk, kIo for what the
// operating system refused, kDatabase for everything else.
[[nodiscard]] Error error_from_text(std::string_view text);

}  // namespace tb::db
