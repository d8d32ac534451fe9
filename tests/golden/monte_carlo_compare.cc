#include "golden/monte_carlo_compare.h"

#include <cmath>

namespace tb::golden {

namespace {

constexpr int kRuns = 8;
constexpr double kStandardErrors = 4;

// "statistics.meanFinalValue" -> the member, null where there is none.
Json member_at(const Json& answer, const std::string& path) {
    const std::size_t dot = path.find('.');
    return answer.at(path.substr(0, dot)).at(path.substr(dot + 1));
}

// Empty, or what is wrong with one figure.
std::string compare_figure(const Json& recorded, const std::vector<Json>& answers,
                           const std::string& path) {
    // A figure may be without a value in some calls only: those with one are compared.
    const bool sometimes_null = recorded.is_object() && recorded.at("nulls") != 0;
    double sum = 0;
    double count = 0;
    for (const Json& answer : answers) {
        const Json value = member_at(answer, path);
        if (value.is_null() && sometimes_null) {
            continue;
        }
        if (recorded.is_null() != value.is_null()) {
            return path + ": recorded " + recorded.dump() + ", ours " + value.dump();
        }
        sum += value.is_null() ? 0 : value.get<double>();
        ++count;
    }
    if (recorded.is_null() || count == 0) {
        return {};
    }
    const double mean = sum / count;
    const double expected = recorded.at("mean").get<double>();
    // The spread between calls is the recorded one: 60 calls tell it better than ours.
    const double error = std::hypot(recorded.at("se").get<double>(),
                                    recorded.at("sd").get<double>() / std::sqrt(count));
    const double allowed = kStandardErrors * error + 1e-9 * std::max(1.0, std::abs(expected));
    if (std::abs(mean - expected) <= allowed) {
        return {};
    }
    return path + ": recorded mean " + Json(expected).dump() + ", ours " + Json(mean).dump() +
           ", allowed difference " + Json(allowed).dump();
}

}  // namespace

std::vector<std::string> distribution_differences(const Json& distribution,
                                                  const std::function<Json(int seed)>& run) {
    std::vector<Json> answers;
    for (int seed = 1; seed <= kRuns; ++seed) {
        answers.push_back(run(seed));
    }
    std::vector<std::string> found;
    for (const auto& [path, recorded] : distribution.items()) {
        if (std::string wrong = compare_figure(recorded, answers, path); !wrong.empty()) {
            found.push_back(std::move(wrong));
        }
    }
    return found;
}

}  // namespace tb::golden
