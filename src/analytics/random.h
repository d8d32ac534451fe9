// Random numbers for simulations: a counter-based generator keyed by (seed, stream).
//
// Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC11)
// maps key = seed and counter = (block, purpose, stream) to 128 random bits by a bijection, so two
// different streams of one seed never share a counter, need no skipping ahead, and a path's numbers
// depend neither on other paths nor on the thread that computes them. Only integer arithmetic is
// used: the same on every machine. Every 64-bit seed is as good as any other.
//
// Not for secrets. Thread-compatible: one Stream per path.
#pragma once

#include <array>
#include <cstdint>

namespace tb::analytics {

// The bijection itself; known answers are in the tests.
[[nodiscard]] std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                                      std::array<std::uint32_t, 2> key);

// Independent uses of one path number. Values are part of the reproducible result: never reorder.
enum class RandomPurpose : std::uint32_t { kResample = 0, kWorstCase = 1 };

class RandomStream {
  public:
    RandomStream(std::uint64_t seed, std::uint64_t stream, RandomPurpose purpose);

    // 32 uniform bits. A stream holds 2^34 of them before it would repeat.
    [[nodiscard]] std::uint32_t next_bits() {
        if (used_ == buffer_.size()) {
            refill();
        }
        return buffer_[used_++];
    }

    // Uniform on 0 .. bound-1 without bias (Lemire, "Fast random integer generation in an
    // interval", 2019). `bound` must be at least 1.
    [[nodiscard]] std::uint32_t next_below(std::uint32_t bound) {
        std::uint64_t product = std::uint64_t{next_bits()} * bound;
        auto low = static_cast<std::uint32_t>(product);
        if (low < bound) {
            const std::uint32_t threshold = (0U - bound) % bound;
            while (low < threshold) {
                product = std::uint64_t{next_bits()} * bound;
                low = static_cast<std::uint32_t>(product);
            }
        }
        return static_cast<std::uint32_t>(product >> 32);
    }

    // True with the probability given to `event_threshold`.
    [[nodiscard]] bool next_event(std::uint64_t threshold) { return next_bits() < threshold; }

    // Uniform on [0, 1) with 53 bits.
    [[nodiscard]] double next_unit() {
        const std::uint64_t high = next_bits();
        const std::uint64_t low = next_bits();
        return static_cast<double>(((high << 32) | low) >> 11) * 0x1.0p-53;
    }

  private:
    void refill();

    std::array<std::uint32_t, 2> key_;
    std::array<std::uint32_t, 4> counter_;
    // Four blocks of four words made at once: one block alone waits for its own multiplications.
    std::array<std::uint32_t, 16> buffer_{};
    std::uint32_t used_ = 16;
};

// Threshold for next_event: probability p (clamped to [0, 1]) to the nearest 2^-32; exact at 0 and
// 1. NaN counts as 0.
[[nodiscard]] std::uint64_t event_threshold(double probability);

}  // namespace tb::analytics
