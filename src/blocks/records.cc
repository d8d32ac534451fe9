#include "blocks/records.h"

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

}  // namespace tb::blocks
