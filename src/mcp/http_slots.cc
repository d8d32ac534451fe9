#include "mcp/http_slots.h"

#include <algorithm>
#include <utility>

namespace tb::mcp {

std::size_t HttpSlots::count(bool proven_kind) const {
    return static_cast<std::size_t>(
        std::count_if(entries_.begin(), entries_.end(),
                      [&](const auto& entry) { return entry.second.counts(proven_kind); }));
}

std::optional<HttpSlots::Id> HttpSlots::close(std::map<Id, Entry>::iterator entry) {
    if (entry == entries_.end()) {
        return std::nullopt;
    }
    entry->second.is_leaving = true;
    return entry->first;
}

std::optional<HttpSlots::Id> HttpSlots::arrive(Id id, std::string address, Time now) {
    std::map<std::string, std::size_t> by_address;
    for (const auto& [unused, entry] : entries_) {
        by_address[entry.address] += entry.counts(false) ? 1 : 0;
    }
    const bool is_full = unproven() >= limits_.unproven;
    const bool has_enough = by_address[address] >= limits_.unproven_per_address;
    std::string from = address;
    if (is_full && !has_enough) {
        from = std::max_element(by_address.begin(), by_address.end(), [](auto& a, auto& b) {
                   return a.second < b.second;
               })->first;
    }
    std::optional<Id> closed;
    if (is_full || has_enough) {
        auto victim = entries_.end();
        for (auto it = entries_.begin(); it != entries_.end(); ++it) {
            const Entry& entry = it->second;
            if (!entry.counts(false) || entry.address != from) {
                continue;
            }
            // Idle ones before busy ones, then the oldest.
            if (victim == entries_.end() ||
                std::pair(!entry.is_idle, entry.since) <
                    std::pair(!victim->second.is_idle, victim->second.since)) {
                victim = it;
            }
        }
        closed = close(victim);
    }
    Entry entry;
    entry.address = std::move(address);
    entry.since = now;
    entries_.insert_or_assign(id, std::move(entry));
    return closed;
}

HttpSlots::Admission HttpSlots::prove(Id id) {
    Entry& own = entries_.at(id);
    if (own.is_proven || own.is_leaving) {
        return {true, std::nullopt};
    }
    std::optional<Id> closed;
    if (proven() >= limits_.proven) {
        auto victim = entries_.end();
        for (auto it = entries_.begin(); it != entries_.end(); ++it) {
            const Entry& entry = it->second;
            if (entry.counts(true) && entry.is_idle &&
                (victim == entries_.end() || entry.since < victim->second.since)) {
                victim = it;
            }
        }
        if (victim == entries_.end()) {
            return {false, std::nullopt};
        }
        closed = close(victim);
    }
    own.is_proven = true;
    return {true, closed};
}

void HttpSlots::set_idle(Id id, Time now) {
    if (const auto found = entries_.find(id); found != entries_.end()) {
        found->second.is_idle = true;
        found->second.since = now;
    }
}

void HttpSlots::set_busy(Id id) {
    if (const auto found = entries_.find(id); found != entries_.end()) {
        found->second.is_idle = false;
    }
}

void HttpSlots::set_streaming(Id id, bool is_streaming) {
    if (const auto found = entries_.find(id); found != entries_.end()) {
        found->second.is_streaming = is_streaming;
    }
}

bool HttpSlots::is_idle(Id id) const {
    const auto found = entries_.find(id);
    return found != entries_.end() && found->second.is_idle;
}

void HttpSlots::leave(Id id) {
    entries_.erase(id);
}

}  // namespace tb::mcp
