// Where a live fill's difference to its model comes from: execution or fees (02 §5 "Trade cost
// reconciliation").
//
// With both sides at the same number of contracts: actualGross = (initial premium + average closing
// cost) * contracts * 100 (closing costs are negative), inferredFees = actualGross - actual P/L.
// Then net residual = gross execution residual - fee residual.
//
// Thread-safe: all functions are pure.
#pragma once

#include <optional>

#include "analytics/trade.h"

namespace tb::analytics {

enum class CostScaling { kPerContract, kToActualContracts };
enum class CostUnavailable {
    kInvalidTolerance,
    kInvalidContracts,  // either side not positive
    kNotFinite,
    kMissingPremium,
    kMissingClosingCost,
    kNegativeModelFees,
    kNegativeInferredFees,  // below minus the tolerance: the fill's P/L exceeds its gross
};
[[nodiscard]] const char* cost_unavailable_name(CostUnavailable reason);

struct CostReconciliation {
    double model_gross = 0;  // dollars at the chosen scale
    double model_fees = 0;
    double model_net = 0;
    double actual_gross = 0;
    double inferred_fees = 0;
    double actual_net = 0;
    double gross_execution_residual = 0;  // actual - model
    double fee_residual = 0;              // inferred - model
    double net_residual = 0;              // actual - model = gross_execution - fee
};
struct CostResult {
    std::optional<CostReconciliation> costs;
    std::optional<CostUnavailable> unavailable;  // set when costs is not
};
// `tolerance` (dollars, >= 0): inferred fees down to -tolerance count as zero fees.
[[nodiscard]] CostResult reconcile_costs(const Trade& model, const ReportingTrade& actual,
                                         CostScaling scaling, double tolerance = 0.01);

}  // namespace tb::analytics
