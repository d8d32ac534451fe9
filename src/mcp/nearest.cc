#include "mcp/nearest.h"

#include <algorithm>
#include <cctype>

namespace tb::mcp {

namespace {

std::string lower(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), [](char c) {
        return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    });
    return out;
}

// Optimal string alignment distance: insert, delete, replace, swap of neighbours cost 1 each.
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before(b.size() + 1);
    std::vector<std::size_t> previous(b.size() + 1);
    std::vector<std::size_t> current(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) {
        previous[j] = j;
    }
    for (std::size_t i = 1; i <= a.size(); ++i) {
        current[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            current[j] = std::min({replaced, previous[j] + 1, current[j - 1] + 1});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                current[j] = std::min(current[j], before[j - 2] + 1);
            }
        }
        before.swap(previous);
        previous.swap(current);
    }
    return previous[b.size()];
}

// Cost is lengths multiplied; names are short, and anything longer is no name.
constexpr std::size_t kMaxNameBytes = 200;

}  // namespace

std::vector<std::string> nearest_names(std::string_view name,
                                       const std::vector<std::string>& candidates,
                                       std::size_t limit) {
    struct Ranked {
        std::size_t group;
        std::size_t distance;
        const std::string* name;
    };
    const std::string wanted = lower(name.substr(0, kMaxNameBytes));
    std::vector<Ranked> ranked;
    for (const std::string& candidate : candidates) {
        const std::string other = lower(std::string_view(candidate).substr(0, kMaxNameBytes));
        const std::size_t longer = std::max(wanted.size(), other.size());
        if (wanted.empty() || other.empty() || candidate == name) {
            continue;  // the name itself: something else was wrong with it
        }
        const std::size_t distance = edit_distance(wanted, other);
        const bool contains =
            wanted.size() >= 3 && other.size() >= 3 &&
            (wanted.find(other) != std::string::npos || other.find(wanted) != std::string::npos);
        if (distance == 0) {
            ranked.push_back({0, 0, &candidate});
        } else if (contains) {
            ranked.push_back({1, distance, &candidate});
        } else if (2 * distance <= longer) {
            ranked.push_back({2, distance, &candidate});
        }
    }
    std::stable_sort(ranked.begin(), ranked.end(), [](const Ranked& a, const Ranked& b) {
        return a.group != b.group ? a.group < b.group : a.distance < b.distance;
    });
    std::vector<std::string> names;
    for (const Ranked& entry : ranked) {
        if (names.size() == limit) {
            break;
        }
        names.push_back(*entry.name);
    }
    return names;
}

std::string did_you_mean(std::string_view name, const std::vector<std::string>& candidates,
                         std::size_t limit) {
    const std::vector<std::string> names = nearest_names(name, candidates, limit);
    if (names.empty()) {
        return {};
    }
    std::string text = "; did you mean ";
    for (std::size_t i = 0; i < names.size(); ++i) {
        text += i == 0 ? "" : (i + 1 == names.size() ? " or " : ", ");
        text += "'" + names[i] + "'";
    }
    return text + "?";
}

}  // namespace tb::mcp
