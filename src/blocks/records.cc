#include "blocks/records.h"

#include "core/text.h"

namespace tb::blocks {

std::string_view role_name(FileRole role) {
    switch (role) {
        case FileRole::kTradeLog:
            return "tradelog";
        case FileRole::kDailyLog:
            return "dailylog";
        case FileRole::kReportingLog:
            return "reportinglog";
    }
    return "tradelog";
}

std::string_view standard_file_name(FileRole role) {
    switch (role) {
        case FileRole::kTradeLog:
            return "tradelog.csv";
        case FileRole::kDailyLog:
            return "dailylog.csv";
        case FileRole::kReportingLog:
            return "reportinglog.csv";
    }
    return "tradelog.csv";
}

std::string_view premium_unit_name(PremiumUnit unit) {
    switch (unit) {
        case PremiumUnit::kCents:
            return "cents";
        case PremiumUnit::kDollars:
            return "dollars";
        case PremiumUnit::kTotal:
            return "total";
    }
    return "dollars";
}

std::optional<PremiumUnit> premium_unit_from_name(std::string_view name) {
    for (const PremiumUnit unit :
         {PremiumUnit::kCents, PremiumUnit::kDollars, PremiumUnit::kTotal}) {
        if (equals_ignoring_case(name, premium_unit_name(unit))) {
            return unit;
        }
    }
    return std::nullopt;
}

}  // namespace tb::blocks
