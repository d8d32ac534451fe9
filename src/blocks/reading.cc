#include "blocks/reading.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "core/legs.h"
#include "core/text.h"

namespace tb::blocks {

namespace {

constexpr double kShares = 100;        // of one contract
constexpr double kNearness = 0.5;      // largest |log| of premium over what a unit expects
constexpr double kSmallestMove = 5;    // dollars of P/L that can prove something
constexpr std::int64_t kMajority = 3;  // two of three proofs
constexpr std::int64_t kMajorityShare = 2;

constexpr std::array<PremiumUnit, 3> kUnits = {PremiumUnit::kCents, PremiumUnit::kDollars,
                                               PremiumUnit::kTotal};

// Premium in this unit of a position whose share is worth one point.
double points_to(PremiumUnit unit, double contracts) {
    switch (unit) {
        case PremiumUnit::kCents:
            return kShares;
        case PremiumUnit::kDollars:
            return 1;
        case PremiumUnit::kTotal:
            return kShares * contracts;
    }
    return 1;
}

// The unit whose expectation is nearest to the premium by ratio.
std::optional<PremiumUnit> unit_by_legs(const PremiumRow& row) {
    if (row.legs.empty() || row.premium == 0) {
        return std::nullopt;
    }
    const auto legs = parse_legs(row.legs, row.opened);
    if (!legs) {
        return std::nullopt;
    }
    const auto net = net_price(*legs);
    if (!net || *net == 0) {
        return std::nullopt;
    }
    const double contracts = row.contracts.value_or(1);
    double nearest = std::numeric_limits<double>::infinity();
    std::optional<PremiumUnit> unit;
    for (const PremiumUnit candidate : kUnits) {
        // One contract is worth the same in dollars as the position.
        if (candidate == PremiumUnit::kTotal && !(contracts >= 2)) {
            continue;
        }
        const double expected = std::fabs(*net) * points_to(candidate, contracts);
        const double distance = std::fabs(std::log(std::fabs(row.premium) / expected));
        if (distance < nearest) {
            nearest = distance;
            unit = candidate;
        }
    }
    return nearest <= kNearness ? unit : std::nullopt;
}

std::optional<PremiumUnit> unit_by_pl(const PremiumRow& row) {
    const double contracts = row.contracts.value_or(0);
    if (!row.avg_closing_cost || !row.pl || !(contracts >= 1) ||
        std::fabs(*row.pl) < kSmallestMove) {
        return std::nullopt;
    }
    std::optional<PremiumUnit> unit;
    for (const PremiumUnit candidate : kUnits) {
        if (candidate == PremiumUnit::kTotal && contracts < 2) {
            continue;
        }
        const double dollars = (row.premium - *row.avg_closing_cost) * kShares * contracts /
                               points_to(candidate, contracts);
        const double allowed = std::max(1.0, 0.01 * std::fabs(dollars));
        if (std::fabs(dollars - *row.pl) <= allowed ||
            std::fabs(dollars - *row.pl - row.fees) <= allowed) {
            if (unit) {
                return std::nullopt;  // fits two units
            }
            unit = candidate;
        }
    }
    return unit;
}

std::string_view unit_words(PremiumUnit unit) {
    switch (unit) {
        case PremiumUnit::kCents:
            return "dollars of one contract";
        case PremiumUnit::kDollars:
            return "dollars of one share";
        case PremiumUnit::kTotal:
            return "dollars of the whole position";
    }
    return "dollars of one share";
}

}  // namespace

void PremiumSurvey::see(const PremiumRow& row) {
    ++rows_;
    if (const auto unit = unit_by_legs(row)) {
        ++by_legs_;
        vote(*unit);
    } else if (const auto by_pl = unit_by_pl(row)) {
        vote(*by_pl);
    }
}

void PremiumSurvey::decide(FileReading& reading) const {
    const auto best = std::max_element(votes_.begin(), votes_.end());
    reading.premium_is_proven = *best > 0 && *best * kMajority >= proofs() * kMajorityShare;
    const PremiumUnit by_writing = decimals_ > 0 ? PremiumUnit::kDollars : PremiumUnit::kCents;
    if (reading.premium_is_proven) {
        reading.premium_unit = static_cast<PremiumUnit>(best - votes_.begin());
        // premium_unit records the usual case; words are for what a reader would not expect.
        if (reading.premium_unit == by_writing && *best == proofs()) {
            return;
        }
        reading.notes.push_back(fmt::format(
            "the premium is in {}: {} of {} rows that can prove it do so, by {}",
            unit_words(reading.premium_unit), *best, proofs(),
            by_legs_ == proofs() ? "the prices of their legs"
            : by_legs_ == 0      ? "their P/L and closing cost"
                                 : "the prices of their legs or their P/L and closing cost"));
        return;
    }
    reading.premium_unit = by_writing;
    if (proofs() > 0 || (decimals_ > 0 && plain_ > 0)) {
        reading.notes.push_back(fmt::format(
            "the premium is taken as {}, {}", unit_words(reading.premium_unit),
            proofs() > 0 ? "because its rows prove different units"
                         : "because some have a decimal point; no row proves its unit"));
    }
}

void BasisSurvey::see(std::string_view cell) {
    if (cell.empty()) {
        ++blank_;
    } else {
        ++(equals_ignoring_case(cell, "gross_before_fees") ? gross_ : others_);
    }
}

void BasisSurvey::decide(FileReading& reading) const {
    if (gross_ > 0 && others_ == 0 && blank_ > 0) {
        reading.blank_basis = PlBasis::kGrossBeforeFees;
        reading.notes.push_back(
            fmt::format("{} rows name no P/L basis: gross_before_fees, as all others say", blank_));
    }
}

void DrawdownSurvey::decide(FileReading& reading) const {
    if (positive_ && !negative_) {
        reading.drawdown_is_positive = true;
        reading.notes.emplace_back("drawdowns are written as positive numbers: stored as negative");
    }
}

}  // namespace tb::blocks
