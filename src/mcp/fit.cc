#include "mcp/fit.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include <nlohmann/json.hpp>

#include "mcp/json_text.h"
#include "mcp/render.h"

namespace tb::mcp {

namespace {

// Objects with more members are maps whose keys are data.
constexpr std::size_t kMapMembers = 100;
// For the entries that tell what was shortened.
constexpr std::size_t kNoticeChars = 1'500;
constexpr std::size_t kNamedLists = 5;
constexpr std::size_t kPathChars = 100;

std::size_t chars_of(const Json& value) {
    return char_count(to_json_text(value));
}

std::size_t cut_texts(Json& value) {  // NOLINT(misc-no-recursion): as deep as the value
    std::size_t count = 0;
    if (value.is_string()) {
        auto& text = value.get_ref<std::string&>();
        if (text.size() > kFittedTextChars && char_count(text) > kFittedTextChars) {
            text = first_chars(text, kFittedTextChars);
            count = 1;
        }
    } else if (value.is_structured()) {
        for (Json& element : value) {
            count += cut_texts(element);
        }
    }
    return count;
}

bool can_lose_elements(const Json& value) {
    return (value.is_array() && !value.empty()) ||
           (value.is_object() && value.size() > kMapMembers);
}

// A place in the object: the way there, and the size of what is there.
struct Place {
    Json* value = nullptr;
    std::string path;
    std::size_t chars = 0;
    bool is_page = false;
};

// All lists and maps that can lose elements. Lists within the elements of a list count on their
// own only while they make up most of it: of a hundred short lists the outer one is cut.
void collect(Json& value, const std::string& path, std::size_t depth,  // NOLINT(misc-no-recursion)
             std::vector<Place>& places) {
    if (!value.is_structured()) {
        return;
    }
    const bool can_lose = can_lose_elements(value);
    const std::size_t own = can_lose ? chars_of(value) : 0;
    if (can_lose) {
        const bool is_page =
            depth == 1 && value.is_array() && value.begin()->is_object() && value.size() > 0;
        places.push_back({&value, path, own, is_page});
    }
    std::size_t index = 0;
    for (auto member = value.begin(); member != value.end(); ++member, ++index) {
        if (!member->is_structured()) {
            continue;
        }
        const std::string step = value.is_array() ? "[]" : (path.empty() ? "" : ".") + member.key();
        if (!can_lose || 2 * chars_of(*member) > own) {
            collect(*member, path + step, depth + 1, places);
        }
    }
}

bool is_inside(const Place& place, const Place& outer) {
    return place.path.size() > outer.path.size() && place.path.starts_with(outer.path) &&
           (place.path[outer.path.size()] == '.' || place.path[outer.path.size()] == '[');
}

// The list to cut next: the longest, or the innermost of those that make up most of it.
const Place* longest(const std::vector<Place>& places, bool pages_too) {
    const Place* best = nullptr;
    const auto can_be_cut = [&](const Place& place) {
        return place.is_page ? pages_too && place.value->size() > 1 : !place.value->empty();
    };
    for (const Place& place : places) {
        if (can_be_cut(place) && (best == nullptr || place.chars > best->chars ||
                                  (is_inside(place, *best) && 2 * place.chars > best->chars))) {
            best = &place;
        }
    }
    return best;
}

// Removes elements from the end until at least `excess` characters are gone or `least` are left.
void shorten(Json& list, std::size_t excess, std::size_t least) {
    std::size_t gone = 0;
    if (list.is_array()) {
        std::size_t kept = list.size();
        while (kept > least && gone < excess) {
            gone += chars_of(list[--kept]) + 1;
        }
        list.erase(list.begin() + static_cast<std::ptrdiff_t>(kept), list.end());
        return;
    }
    auto& members = list.get_ref<Json::object_t&>();  // in order, as a vector is
    while (members.size() > least && gone < excess) {
        gone += chars_of(members.back().second) + members.back().first.size() + 4;
        members.pop_back();
    }
}

void note(std::vector<ShortenedList>& lists, const std::string& path, std::size_t shown,
          std::size_t total) {
    for (ShortenedList& list : lists) {
        if (list.path == path) {
            list.shown = shown;  // cut again
            return;
        }
    }
    lists.push_back({path, shown, total});
}

// Appends to a list of the answer that may be there already.
Json& list_named(Json& answer, const char* name) {
    Json& list = answer[name];
    if (!list.is_array()) {
        list = Json::array();
    }
    return list;
}

}  // namespace

Shortened fit_object(Json& answer, std::size_t max_chars) {
    Shortened shortened;
    std::size_t chars = chars_of(answer);
    if (chars <= max_chars) {
        return shortened;
    }
    shortened.texts = cut_texts(answer);
    chars = chars_of(answer);
    const std::size_t room = max_chars - std::min(max_chars / 2, kNoticeChars);
    bool pages_too = false;
    while (chars > room) {
        std::vector<Place> places;
        collect(answer, "", 0, places);
        const Place* const place = longest(places, pages_too);
        // Pages give way only when little else is left.
        if (!pages_too && (place == nullptr || place->chars < room / 20)) {
            pages_too = true;
            continue;
        }
        if (place == nullptr) {
            break;
        }
        const std::size_t total = place->value->size();
        shorten(*place->value, chars - room, place->is_page ? 1 : 0);
        note(shortened.lists, place->path, place->value->size(), total);
        chars = chars_of(answer);
    }
    if (shortened.empty()) {
        return shortened;
    }
    if (!shortened.lists.empty()) {
        Json& told = list_named(answer, "shortened");
        for (std::size_t i = 0; i < std::min(shortened.lists.size(), kNamedLists); ++i) {
            const ShortenedList& list = shortened.lists[i];
            told.push_back({{"list", first_chars(list.path, kPathChars)},
                            {"shown", list.shown},
                            {"total", list.total}});
        }
    }
    list_named(answer, "warnings").push_back(shortened_text(shortened));
    return shortened;
}

std::string shortened_text(const Shortened& shortened) {
    std::string text = "shortened to fit one answer: ";
    if (shortened.texts > 0) {
        text += count_text(static_cast<std::int64_t>(shortened.texts)) +
                (shortened.texts == 1 ? " text is" : " texts are") + " cut to " +
                std::to_string(kFittedTextChars) + " characters";
    }
    const auto& lists = shortened.lists;
    for (std::size_t i = 0; i < std::min(lists.size(), kNamedLists); ++i) {
        text += (i == 0 && shortened.texts == 0 ? "" : "; ") +
                first_chars(lists[i].path, kPathChars) + " shows " +
                count_text(static_cast<std::int64_t>(lists[i].shown)) + " of " +
                count_text(static_cast<std::int64_t>(lists[i].total));
    }
    if (lists.size() > kNamedLists) {
        text += "; and " + std::to_string(lists.size() - kNamedLists) + " more lists";
    }
    return text + ". Narrow the question, or raise maxChars where the tool has it";
}

// ---- texts ----

namespace {

bool is_harmless(std::string_view text) {
    // Most texts are plain; looking costs less than copying.
    return std::all_of(text.begin(), text.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return (byte >= 0x20 && byte < 0x7F) || c == '\n' || c == '\r' || c == '\t';
    });
}

}  // namespace

void make_harmless(Json& value) {  // NOLINT(misc-no-recursion): as deep as the value
    if (value.is_string()) {
        auto& text = value.get_ref<std::string&>();
        if (!is_harmless(text)) {
            text = harmless_text(text);
        }
        return;
    }
    if (value.is_object()) {
        bool renames = false;
        for (const auto& member : value.items()) {
            renames = renames || !is_harmless(member.key());
        }
        if (renames) {
            Json renamed = Json::object();
            auto& members = renamed.get_ref<Json::object_t&>();
            std::unordered_set<std::string> names;
            for (const auto& member : value.items()) {
                std::string name = harmless_text(member.key());
                while (!names.insert(name).second) {
                    name += "'";
                }
                members.emplace_back(std::move(name), std::move(member.value()));
            }
            value = std::move(renamed);
        }
    }
    if (value.is_structured()) {
        for (Json& element : value) {
            make_harmless(element);
        }
    }
}

}  // namespace tb::mcp
