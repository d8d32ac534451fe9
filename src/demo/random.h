// The sample data's own pseudo-random numbers: the same seed gives the same bytes on every machine,
// which no standard distribution promises. SplitMix64 (Steele, Lea, Flood 2014), integers only.
//
// A generator is keyed by any number of integers, so that trade number 4711 of block 12 can be made
// without making those before it.
//
// Single-thread.
#pragma once

#include <cstdint>
#include <initializer_list>

namespace tb::demo {

class Random {
  public:
    Random(std::initializer_list<std::uint64_t> keys) {
        for (const std::uint64_t key : keys) {
            state_ = mix(state_ ^ key) + 0x9E3779B97F4A7C15ULL;
        }
    }

    [[nodiscard]] std::uint64_t next() {
        state_ += 0x9E3779B97F4A7C15ULL;
        return mix(state_);
    }
    // Uniform in [low, high]; the bias of the modulo (below 2^-40 here) does not matter for
    // samples.
    [[nodiscard]] std::int64_t between(std::int64_t low, std::int64_t high) {
        return low + static_cast<std::int64_t>(next() % static_cast<std::uint64_t>(high - low + 1));
    }
    // Bell-shaped in thousandths: mean 0, standard deviation about 1000, never beyond 3464.
    [[nodiscard]] std::int64_t bell_milli() {
        std::int64_t sum = 0;
        for (int i = 0; i < 4; ++i) {
            sum += between(-866, 866);
        }
        return sum;
    }

  private:
    static constexpr std::uint64_t mix(std::uint64_t z) {
        z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
        z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
        return z ^ (z >> 31U);
    }

    std::uint64_t state_ = 0;
};

}  // namespace tb::demo
