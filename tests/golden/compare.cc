#include "golden/compare.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

namespace tb::golden {

namespace {

struct NotCompared {
    std::string_view member;
    std::string_view reason;
};

constexpr std::array kNotCompared = {
    NotCompared{"note", "wording is free"},
    NotCompared{"warning", "wording is free"},
    NotCompared{"warnings", "wording is free"},
    NotCompared{"title", "wording is free: a sentence for people"},
    NotCompared{"rollingMetricsMethodology", "wording is free"},
    NotCompared{"syncInfo", "our syncs report more states"},
    NotCompared{"syncWarning", "our syncs report more states"},
    NotCompared{"durationMs", "wall clock"},
    NotCompared{"distribution", "random: monte_carlo_compare.h"},
    NotCompared{"seed42", "the reference's generator is not copied (00 §5)"},
    NotCompared{"randomSeed", "the reference echoes null, ours says which seed it took"},
    NotCompared{"series", "the rates come from a file of the user's (00 §4)"},
    NotCompared{"dataThrough", "the rates come from a file of the user's (00 §4)"},
};

// Objects in which a member the reference leaves out means "no value": ours must not have one. The
// statistics are told from other `stats` by their first figure.
bool is_closed(const std::string& path, const Json& recorded) {
    return path.ends_with("/context") ||
           (path.ends_with("/stats") && recorded.contains("totalTrades"));
}

bool is_number(const Json& value) {
    return value.is_number();
}

class Comparison {
  public:
    std::vector<std::string> found;

    void values(const Json& recorded, const Json& ours, const std::string& path) {
        if (recorded.is_object() && ours.is_object()) {
            objects(recorded, ours, path);
        } else if (recorded.is_array() && ours.is_array()) {
            arrays(recorded, ours, path);
        } else if (is_number(recorded) && is_number(ours)) {
            numbers(recorded.get<double>(), ours.get<double>(), path);
        } else if (recorded != ours) {
            differ(path, recorded.dump(), ours.dump());
        }
    }

  private:
    void differ(const std::string& path, const std::string& recorded, const std::string& ours) {
        found.push_back(path + ": recorded " + recorded.substr(0, 200) + ", ours " +
                        ours.substr(0, 200));
    }

    void objects(const Json& recorded, const Json& ours, const std::string& path) {
        for (const auto& [name, value] : recorded.items()) {
            if (!reason_not_compared(name).empty()) {
                continue;
            }
            const auto member = ours.find(name);
            if (member == ours.end()) {
                differ(path + "/" + name, value.dump(), "missing");
            } else {
                values(value, *member, path + "/" + name);
            }
        }
        if (!is_closed(path, recorded)) {
            return;
        }
        for (const auto& [name, value] : ours.items()) {
            if (!recorded.contains(name)) {
                differ(path + "/" + name, "left out", value.dump());
            }
        }
    }

    void arrays(const Json& recorded, const Json& ours, const std::string& path) {
        if (recorded.size() != ours.size()) {
            differ(path, std::to_string(recorded.size()) + " entries",
                   std::to_string(ours.size()) + " entries");
            return;
        }
        for (std::size_t i = 0; i < recorded.size(); ++i) {
            const std::string row = path + "[" + std::to_string(i) + "]";
            values(recorded[i],
                   path == "/marginalContributions" ? same_rank(recorded, ours, i) : ours[i], row);
        }
    }

    // Shares that are equal but for their last digit stand in an order that rounding decides: among
    // the rows of ours whose share is that of the recorded row i, the one of its strategy.
    static const Json& same_rank(const Json& recorded, const Json& ours, std::size_t i) {
        const auto share = [](const Json& row) {
            const auto found = row.find("tailRiskContribution");
            return found != row.end() && found->is_number() ? found->get<double>() : -1.0;
        };
        for (const Json& row : ours) {
            if (row["strategy"] == recorded[i]["strategy"] &&
                std::abs(share(row) - share(ours[i])) <= 1e-9) {
                return row;
            }
        }
        return ours[i];
    }

    void numbers(double recorded, double ours, const std::string& path) {
        const bool incremental = path.starts_with("/rollingMetrics");
        const double tolerance = incremental ? 1e-8 : 1e-9;
        if (!(std::abs(recorded - ours) <= tolerance * std::max(1.0, std::abs(recorded)))) {
            differ(path, Json(recorded).dump(),
                   Json(ours).dump() + ", tolerance " + Json(tolerance).dump());
        }
    }
};

}  // namespace

std::string reason_not_compared(const std::string& member) {
    const auto found =
        std::find_if(kNotCompared.begin(), kNotCompared.end(),
                     [&](const NotCompared& entry) { return entry.member == member; });
    return found == kNotCompared.end() ? std::string() : std::string(found->reason);
}

std::vector<std::string> differences(const Json& recorded, const Json& ours) {
    Comparison comparison;
    comparison.values(recorded, ours, "");
    return comparison.found;
}

}  // namespace tb::golden
