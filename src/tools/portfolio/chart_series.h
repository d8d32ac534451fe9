// The charts of get_performance_charts (02 §4.10) as JSON: each is computed once and can be
// rendered with any number of points, so that an answer can be made to fit its budget.
//
// Thread-compatible.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analytics/drawdowns.h"
#include "analytics/equity.h"
#include "analytics/exposure.h"
#include "analytics/trade.h"
#include "mcp/json_box.h"
#include "tools/portfolio/common.h"

namespace tb::tools {

// What the charts are drawn from.
struct ChartInput {
    analytics::TradeSet trades;  // filtered and normalized
    // kReference: all trades of the block, for the excursions (02 I-45). Borrowed; null = `trades`.
    const analytics::TradeSet* all_trades = nullptr;
    Conventions conventions = Conventions::kCorrect;
    std::int32_t bucket_count = 20;
    std::size_t rolling_window = 30;
    double excursion_bucket = 10;
    bool strategy_filter = false;
    std::optional<double> start_capital;        // nullopt: that of the trades
    std::vector<analytics::AccountFlow> flows;  // withdrawals of the account, ascending by day
    // What exposure is a percent of where a daily log is the base; nullopt: of the equity curve.
    std::optional<analytics::EquityByDay> account_by_day;
    // Of the figures of get_statistics for the same trades; null where they have none (one lot).
    std::optional<analytics::DrawdownTable> drawdowns_by_day;
};

// How many points of a series are shown.
struct Rendering {
    bool reference = false;  // the reference's cut: the first `most` of some series, in an envelope
    std::size_t most = kDefaultPoints;  // 0 = all
    mcp::JsonBox thinned;               // out: key -> {shown, total} of series with fewer points
    bool truncated = false;             // out: at least one series is not complete
};

// Chart names in the tool's order.
[[nodiscard]] const std::vector<std::string>& chart_names();

class ChartSet {
  public:
    // Computes the charts named; unknown names are left out.
    ChartSet(ChartInput input, const std::vector<std::string>& names);
    ChartSet(const ChartSet&) = delete;
    ChartSet& operator=(const ChartSet&) = delete;
    ChartSet(ChartSet&&) = delete;
    ChartSet& operator=(ChartSet&&) = delete;
    ~ChartSet() = default;

    // Adds the charts to `answer` under their keys.
    void render(mcp::Json& answer, Rendering& rendering) const;
    [[nodiscard]] const analytics::EquityCurve& curve() const { return curve_; }
    // Key in the answer, name of the chart, how its figures come about.
    struct Entry {
        std::string key;
        std::string name;
        std::string formula;
    };
    [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
    // About the data the charts rest on.
    [[nodiscard]] const std::vector<std::string>& warnings() const { return warnings_; }

  private:
    using Render = std::function<void(mcp::Json&, Rendering&)>;
    void add(const std::string& name);
    void note_absent_values(const std::string& name);
    void add_curve_chart(const std::string& name);
    void add_summary_chart(const std::string& name);
    void add_trade_chart(const std::string& name);
    void add_risk_chart(const std::string& name);
    void add_entry(std::string key, const std::string& name, std::string formula, Render render);

    ChartInput input_;
    analytics::EquityCurve curve_;
    std::vector<Entry> entries_;
    std::vector<Render> renders_;
    std::vector<std::string> warnings_;
};

}  // namespace tb::tools
