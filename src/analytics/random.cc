#include "analytics/random.h"

#include <cmath>
#include <cstddef>

namespace tb::analytics {

namespace {

// Blocks with consecutive counters, word by word: their multiplications overlap, where one block
// alone waits for each round.
template <std::size_t Blocks>
struct PhiloxLanes {
    std::array<std::uint32_t, Blocks> word0;
    std::array<std::uint32_t, Blocks> word1;
    std::array<std::uint32_t, Blocks> word2;
    std::array<std::uint32_t, Blocks> word3;

    void run(std::uint32_t key0, std::uint32_t key1) {
        constexpr std::uint64_t kMultiplier0 = 0xD2511F53;
        constexpr std::uint64_t kMultiplier1 = 0xCD9E8D57;
        constexpr std::uint32_t kWeyl0 = 0x9E3779B9;  // golden ratio
        constexpr std::uint32_t kWeyl1 = 0xBB67AE85;  // sqrt(3) - 1
        constexpr int kRounds = 10;
        for (int round = 0; round < kRounds; ++round) {
            for (std::size_t j = 0; j < Blocks; ++j) {
                const std::uint64_t product0 = kMultiplier0 * word0[j];
                const std::uint64_t product1 = kMultiplier1 * word2[j];
                word0[j] = static_cast<std::uint32_t>(product1 >> 32) ^ word1[j] ^ key0;
                word2[j] = static_cast<std::uint32_t>(product0 >> 32) ^ word3[j] ^ key1;
                word1[j] = static_cast<std::uint32_t>(product1);
                word3[j] = static_cast<std::uint32_t>(product0);
            }
            key0 += kWeyl0;
            key1 += kWeyl1;
        }
    }
};

}  // namespace

std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                        std::array<std::uint32_t, 2> key) {
    PhiloxLanes<1> lane{{counter[0]}, {counter[1]}, {counter[2]}, {counter[3]}};
    lane.run(key[0], key[1]);
    return {lane.word0[0], lane.word1[0], lane.word2[0], lane.word3[0]};
}

RandomStream::RandomStream(std::uint64_t seed, std::uint64_t stream, RandomPurpose purpose)
    : key_{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)},
      counter_{0, static_cast<std::uint32_t>(purpose), static_cast<std::uint32_t>(stream),
               static_cast<std::uint32_t>(stream >> 32)} {}

void RandomStream::refill() {
    constexpr std::size_t kBlocks = 4;
    PhiloxLanes<kBlocks> lanes;
    for (std::size_t j = 0; j < kBlocks; ++j) {
        lanes.word0[j] = counter_[0]++;
        lanes.word1[j] = counter_[1];
        lanes.word2[j] = counter_[2];
        lanes.word3[j] = counter_[3];
    }
    lanes.run(key_[0], key_[1]);
    for (std::size_t j = 0; j < kBlocks; ++j) {
        buffer_[4 * j] = lanes.word0[j];
        buffer_[4 * j + 1] = lanes.word1[j];
        buffer_[4 * j + 2] = lanes.word2[j];
        buffer_[4 * j + 3] = lanes.word3[j];
    }
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
