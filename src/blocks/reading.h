// How one file of a block is to be read: what its rows together say about dates, numbers, the unit
// of the premium and the P/L basis. Decided once a file, never row by row.
//
// Unit of the premium. Each row with legs that state their prices proves one: the net price of the
// legs (points of one share) times 1, 100 or 100 * contracts is nearest to the premium. Rows of a
// trade log without such legs prove one if the P/L, with or without fees, is (premium - average
// closing cost) in that unit times contracts. The unit of two thirds of the proofs holds for the
// whole file. Without proof: a premium with a decimal sign anywhere in the file means dollars of
// one share, else dollars of one contract.
//
// Thread-compatible.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "blocks/records.h"
#include "csv/file_locale.h"

namespace tb::blocks {

struct FileReading {
    csv::FileLocale locale;
    // Of the premium column.
    PremiumUnit premium_unit = PremiumUnit::kCents;
    bool premium_is_proven = false;
    // Of rows of a `P/L Basis` column that say nothing; nullopt = the basis of the import.
    std::optional<PlBasis> blank_basis;
    // A daily log whose drawdowns are all written as positive numbers; stored they are negative.
    bool drawdown_is_positive = false;
    std::vector<std::string> notes;  // besides the locale's

    [[nodiscard]] bool same_reading(const FileReading& other) const {
        return locale.same_reading(other.locale) && premium_unit == other.premium_unit &&
               premium_is_proven == other.premium_is_proven && blank_basis == other.blank_basis &&
               drawdown_is_positive == other.drawdown_is_positive;
    }
};

// What one row says about the premium's unit; absent values say nothing.
struct PremiumRow {
    double premium = 0;
    std::string_view legs;
    Date opened;
    std::optional<double> contracts;
    std::optional<double> avg_closing_cost;  // of a closed trade, in the premium's unit, > 0 = paid
    std::optional<double> pl;
    double fees = 0;
};

class PremiumSurvey {
  public:
    // Rows are looked at until so many prove something, or so many were looked at.
    static constexpr std::int64_t kProofs = 1000;
    static constexpr std::int64_t kRows = 20'000;

    [[nodiscard]] bool wants_rows() const { return rows_ < kRows && proofs() < kProofs; }
    void see(const PremiumRow& row);
    // A premium was written with (or without) a decimal sign.
    void see_written(bool with_decimals) { ++(with_decimals ? decimals_ : plain_); }
    void decide(FileReading& reading) const;

  private:
    [[nodiscard]] std::int64_t proofs() const { return votes_[0] + votes_[1] + votes_[2]; }
    void vote(PremiumUnit unit) { ++votes_[static_cast<std::size_t>(unit)]; }

    std::array<std::int64_t, 3> votes_ = {0, 0, 0};  // by PremiumUnit
    std::int64_t by_legs_ = 0;
    std::int64_t rows_ = 0;
    std::int64_t decimals_ = 0;
    std::int64_t plain_ = 0;
};

// Cells of a `P/L Basis` column.
class BasisSurvey {
  public:
    void see(std::string_view cell);
    void decide(FileReading& reading) const;

  private:
    std::int64_t gross_ = 0;
    std::int64_t others_ = 0;
    std::int64_t blank_ = 0;
};

// Cells of a `Drawdown %` column.
class DrawdownSurvey {
  public:
    [[nodiscard]] bool wants_rows() const { return !negative_; }
    void see(double drawdown) {
        positive_ = positive_ || drawdown > 0;
        negative_ = negative_ || drawdown < 0;
    }
    void decide(FileReading& reading) const;

  private:
    bool positive_ = false;
    bool negative_ = false;
};

}  // namespace tb::blocks
