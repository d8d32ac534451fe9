#include "analytics/random.h"

#include <cmath>

namespace tb::analytics {

std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                        std::array<std::uint32_t, 2> key) {
    constexpr std::uint64_t kMultiplier0 = 0xD2511F53;
    constexpr std::uint64_t kMultiplier1 = 0xCD9E8D57;
    constexpr std::uint32_t kWeyl0 = 0x9E3779B9;  // golden ratio
    constexpr std::uint32_t kWeyl1 = 0xBB67AE85;  // sqrt(3) - 1
    constexpr int kRounds = 10;
    for (int round = 0; round < kRounds; ++round) {
        const std::uint64_t product0 = kMultiplier0 * counter[0];
        const std::uint64_t product1 = kMultiplier1 * counter[2];
        counter = {static_cast<std::uint32_t>(product1 >> 32) ^ counter[1] ^ key[0],
                   static_cast<std::uint32_t>(product1),
                   static_cast<std::uint32_t>(product0 >> 32) ^ counter[3] ^ key[1],
                   static_cast<std::uint32_t>(product0)};
        key[0] += kWeyl0;
        key[1] += kWeyl1;
    }
    return counter;
}

RandomStream::RandomStream(std::uint64_t seed, std::uint64_t stream, RandomPurpose purpose)
    : key_{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)},
      counter_{0, static_cast<std::uint32_t>(purpose), static_cast<std::uint32_t>(stream),
               static_cast<std::uint32_t>(stream >> 32)} {}

void RandomStream::refill() {
    buffer_ = philox4x32(counter_, key_);
    ++counter_[0];
    used_ = 0;
}

std::uint64_t event_threshold(double probability) {
    constexpr double kTwoTo32 = 4294967296.0;
    if (!(probability > 0)) {
        return 0;
    }
    return probability >= 1 ? std::uint64_t{1} << 32
                            : static_cast<std::uint64_t>(std::llround(probability * kTwoTo32));
}

}  // namespace tb::analytics
