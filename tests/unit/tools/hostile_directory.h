// Data directories nobody should have: generated from a seed, for tests that ask every tool about
// them. One block, "good", is as it should be.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "support/temp_dir.h"

namespace tb::tools {

class HostileDirectory {
  public:
    HostileDirectory(const tb::test::TempDir& dir, std::uint32_t seed) : dir_(dir), random_(seed) {}

    // The block that must be answered for, whatever is beside it.
    static constexpr std::string_view kGood = "good";
    void add_good_block();

    // One block each; the id.
    std::string add_extreme_amounts();
    std::string add_huge_cells();
    std::string add_many_strategies(std::size_t count);
    std::string add_odd_names();
    std::string add_odd_days();
    std::string add_many_issues(std::size_t count);
    std::string add_odd_daily_log();
    std::string add_reporting_log();
    std::string add_empty_log();
    void add_rejected_blocks(std::size_t count);
    void add_market_files();

    // A few of all of these.
    std::vector<std::string> add_some();

  private:
    std::size_t below(std::size_t bound);
    template <class T>
    const T& one_of(const std::vector<T>& values) {
        return values[below(values.size())];
    }
    std::string amount();
    std::string day();
    std::string odd_text(std::size_t length);
    std::string block_name();
    std::string trade_row(const std::string& strategy, const std::string& ticker);

    const tb::test::TempDir& dir_;
    std::mt19937 random_;
    int blocks_ = 0;
};

}  // namespace tb::tools
