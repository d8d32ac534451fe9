#include "analytics/backtest_vs_actual_costs.h"

#include <cmath>

namespace tb::analytics {

namespace {
constexpr double kContractShares = 100;

CostResult unavailable(CostUnavailable reason) {
    return {std::nullopt, reason};
}
}  // namespace

const char* cost_unavailable_name(CostUnavailable reason) {
    switch (reason) {
        case CostUnavailable::kInvalidTolerance:
            return "invalid_tolerance";
        case CostUnavailable::kInvalidContracts:
            return "invalid_contracts";
        case CostUnavailable::kNotFinite:
            return "not_finite";
        case CostUnavailable::kMissingPremium:
            return "missing_premium";
        case CostUnavailable::kMissingClosingCost:
            return "missing_closing_cost";
        case CostUnavailable::kNegativeModelFees:
            return "negative_model_fees";
        case CostUnavailable::kNegativeInferredFees:
            break;
    }
    return "negative_inferred_fees";
}

CostResult reconcile_costs(const Trade& model, const ReportingTrade& actual, CostScaling scaling,
                           double tolerance) {
    if (!(tolerance >= 0) || !std::isfinite(tolerance)) {
        return unavailable(CostUnavailable::kInvalidTolerance);
    }
    if (model.contracts <= 0 || !(actual.contracts > 0)) {
        return unavailable(CostUnavailable::kInvalidContracts);
    }
    if (!actual.initial_premium) {
        return unavailable(CostUnavailable::kMissingPremium);
    }
    if (!actual.avg_closing_cost) {
        return unavailable(CostUnavailable::kMissingClosingCost);
    }
    if (model.fees() < 0) {
        return unavailable(CostUnavailable::kNegativeModelFees);
    }
    const double model_contracts = model.contracts;
    const bool per_contract = scaling == CostScaling::kPerContract;
    const double model_factor =
        per_contract ? 1 / model_contracts : actual.contracts / model_contracts;
    const double actual_factor = per_contract ? 1 / actual.contracts : 1;
    CostReconciliation c;
    c.model_gross = model.gross_pl() * model_factor;
    c.model_fees = model.fees() * model_factor;
    c.model_net = model.net_pl() * model_factor;
    c.actual_gross = (*actual.initial_premium + *actual.avg_closing_cost) * actual.contracts *
                     kContractShares * actual_factor;
    c.actual_net = actual.pl * actual_factor;
    c.inferred_fees = c.actual_gross - c.actual_net;
    c.gross_execution_residual = c.actual_gross - c.model_gross;
    c.fee_residual = c.inferred_fees - c.model_fees;
    c.net_residual = c.actual_net - c.model_net;
    if (!std::isfinite(c.gross_execution_residual) || !std::isfinite(c.fee_residual) ||
        !std::isfinite(c.net_residual)) {
        return unavailable(CostUnavailable::kNotFinite);
    }
    if (c.inferred_fees < -tolerance * actual_factor) {
        return unavailable(CostUnavailable::kNegativeInferredFees);
    }
    return {c, std::nullopt};
}

}  // namespace tb::analytics
