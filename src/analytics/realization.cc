#include "analytics/realization.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "analytics/numerics.h"
#include "analytics/returns.h"

namespace tb::analytics {

namespace {

constexpr double kFundsTolerance = 0.011;  // dollars
// Steps of the search for detours per trade of a group; an Eulerian trail needs one.
constexpr std::size_t kSearchPerTrade = 64;

bool is_untimed(const Trade& t) {
    return t.date_closed && !t.time_closed;
}

std::int32_t realized_minute(const Trade& t) {
    return t.time_closed.value_or(t.time_opened.value_or(TimeOfDay())).minutes();
}

// The trades of one group as edges between balances.
class Trail {
  public:
    // `step`: the P/L the column follows. All trades of `group` state their funds.
    template <class Step>
    Trail(std::span<const Trade> trades, std::span<const std::uint32_t> group, double balance,
          const Step& step)
        : edges_(group.size()) {
        struct End {
            double value;
            std::size_t edge;  // group.size(): the balance at hand
            bool start;
        };
        std::vector<End> ends;
        ends.reserve(2 * group.size() + 1);
        ends.push_back({balance, group.size(), true});
        for (std::size_t i = 0; i < group.size(); ++i) {
            const Trade& t = trades[group[i]];
            ends.push_back({*t.funds_at_close - step(t), i, true});
            ends.push_back({*t.funds_at_close, i, false});
        }
        std::sort(ends.begin(), ends.end(),
                  [](const End& a, const End& b) { return a.value < b.value; });
        std::size_t vertex = 0;
        for (std::size_t i = 0; i < ends.size(); ++i) {
            vertex += i > 0 && !same_balance(ends[i - 1].value, ends[i].value) ? 1U : 0U;
            if (ends[i].edge == group.size()) {
                at_hand_ = vertex;
            } else {
                (ends[i].start ? edges_[ends[i].edge].from : edges_[ends[i].edge].to) = vertex;
            }
        }
        make_lists(vertex + 1);
    }

    // Positions in the group in the order found, and whether one trail from the balance at hand
    // takes in all of them.
    struct Order {
        std::vector<std::uint32_t> positions;
        bool proven = false;
    };
    [[nodiscard]] Order find() {
        Order order;
        std::size_t trails = 0;
        std::size_t at = at_hand_;
        if (!has_edge(at)) {
            ++trails;  // the balance at hand leads nowhere
            at = next_start();
        }
        while (order.positions.size() < edges_.size()) {
            ++trails;
            const std::vector<std::uint32_t> found = walk_from(at);
            order.positions.insert(order.positions.end(), found.begin(), found.end());
            at = edges_[order.positions.back()].to;
            if (order.positions.size() < edges_.size() && !has_edge(at)) {
                at = next_start();
            }
        }
        order.proven = trails == 1;
        return order;
    }

  private:
    struct Edge {
        std::size_t from = 0;
        std::size_t to = 0;
        std::size_t at = 0;  // in list_
        bool used = false;
    };

    void make_lists(std::size_t vertices) {
        first_.assign(vertices + 1, 0);
        surplus_.assign(vertices, 0);
        blocked_.assign(vertices, 0);
        for (const Edge& edge : edges_) {
            ++first_[edge.from + 1];
            ++surplus_[edge.from];
            --surplus_[edge.to];
        }
        std::partial_sum(first_.begin(), first_.end(), first_.begin());
        next_.assign(first_.begin(), first_.end() - 1);
        list_.resize(edges_.size());
        std::vector<std::size_t> fill = next_;
        for (std::size_t i = 0; i < edges_.size(); ++i) {
            edges_[i].at = fill[edges_[i].from]++;
            list_[edges_[i].at] = static_cast<std::uint32_t>(i);
        }
        budget_ = kSearchPerTrade * edges_.size();
    }

    [[nodiscard]] bool has_edge(std::size_t vertex) {
        std::size_t& next = next_[vertex];
        while (next < first_[vertex + 1] && edges_[list_[next]].used) {
            ++next;
        }
        return next < first_[vertex + 1];
    }

    // Where a new trail begins: at the first unused edge of a balance that more edges leave than
    // reach, else at the first unused one.
    [[nodiscard]] std::size_t next_start() {
        while (unused_ < edges_.size() && edges_[unused_].used) {
            ++unused_;
        }
        for (std::size_t i = unused_; i < edges_.size() && budget_ > 0; ++i, --budget_) {
            if (!edges_[i].used && surplus_[edges_[i].from] > 0) {
                return edges_[i].from;
            }
        }
        return edges_[unused_].from;
    }

    // Takes unused edges until there is none to take; where it ends.
    std::size_t advance(std::size_t vertex, std::vector<std::uint32_t>& stack) {
        while (has_edge(vertex)) {
            const std::uint32_t edge = list_[next_[vertex]++];
            edges_[edge].used = true;
            --surplus_[vertex];
            stack.push_back(edge);
            vertex = edges_[edge].to;
            ++surplus_[vertex];
            budget_ -= budget_ > 0 ? 1U : 0U;
        }
        return vertex;
    }
    void give_back(std::vector<std::uint32_t>& stack, std::size_t size) {
        for (; stack.size() > size; stack.pop_back()) {
            Edge& edge = edges_[stack.back()];
            edge.used = false;
            ++surplus_[edge.from];
            --surplus_[edge.to];
            next_[edge.from] = std::min(next_[edge.from], edge.at);
        }
    }
    // A detour that comes back to `vertex`, onto the stack.
    bool detour(std::size_t vertex, std::vector<std::uint32_t>& stack) {
        if (blocked_[vertex] == trail_ || budget_ == 0 || !has_edge(vertex)) {
            return false;
        }
        const std::size_t size = stack.size();
        if (advance(vertex, stack) == vertex) {
            return true;
        }
        give_back(stack, size);
        blocked_[vertex] = trail_;
        return false;
    }

    [[nodiscard]] std::vector<std::uint32_t> walk_from(std::size_t start) {
        std::vector<std::uint32_t> stack;
        std::vector<std::uint32_t> reversed;
        ++trail_;
        advance(start, stack);
        do {
            while (!stack.empty()) {
                if (!detour(edges_[stack.back()].to, stack)) {
                    reversed.push_back(stack.back());
                    stack.pop_back();
                }
            }
        } while (detour(start, stack));
        std::reverse(reversed.begin(), reversed.end());
        return reversed;
    }

    std::vector<Edge> edges_;  // by position in the group
    std::size_t at_hand_ = 0;
    // Edges that leave a vertex: list_[first_[v]] .. list_[first_[v+1]), unused ones from next_[v].
    std::vector<std::uint32_t> list_;
    std::vector<std::size_t> first_;
    std::vector<std::size_t> next_;
    std::vector<std::int64_t> surplus_;  // unused edges leaving less those arriving
    std::vector<std::size_t> blocked_;   // in which trail no detour was found
    std::size_t trail_ = 0;
    std::size_t unused_ = 0;
    std::size_t budget_ = 0;
};

// Puts the groups of one order right, one after the other.
class Prover {
  public:
    Prover(std::span<const Trade> trades, TradeOrder& order)
        : trades_(trades),
          order_(order),
          net_(funds_follow_net(trades, order)),
          balance_(initial_capital(trades, {}, Conventions::kCorrect).dollars) {}

    void run() {
        if (!balance_) {
            return;  // no trade states its funds
        }
        for (std::size_t begin = 0; begin < order_.size();) {
            std::size_t end = begin;
            std::size_t untimed = 0;
            const Date day = trades_[order_[begin]].realized_on();
            for (; end < order_.size() && trades_[order_[end]].realized_on() == day; ++end) {
                untimed += is_untimed(trades_[order_[end]]) ? 1U : 0U;
            }
            prove_day(begin, end, untimed);
            begin = end;
        }
    }

  private:
    [[nodiscard]] double step(const Trade& t) const { return net_ ? t.net_pl() : t.pl; }

    void prove_day(std::size_t begin, std::size_t end, std::size_t untimed) {
        if (untimed > 0 && prove(begin, end, untimed < end - begin)) {
            return;
        }
        for (std::size_t i = begin; i < end;) {
            std::size_t next = i;
            const std::int32_t minute = realized_minute(trades_[order_[i]]);
            while (next < end && realized_minute(trades_[order_[next]]) == minute) {
                ++next;
            }
            prove(i, next, false);
            i = next;
        }
    }

    // Reorders [begin, end) and follows the balance through it. With `keep_minutes` only where
    // everything is proven and the closing minutes stated ascend: false where not.
    bool prove(std::size_t begin, std::size_t end, bool keep_minutes) {
        const std::span<std::uint32_t> group(order_.data() + begin, end - begin);
        const bool stated = std::all_of(group.begin(), group.end(), [&](std::uint32_t i) {
            return trades_[i].funds_at_close && std::isfinite(*trades_[i].funds_at_close) &&
                   std::isfinite(step(trades_[i]));
        });
        if (stated && group.size() > 1) {
            const auto found =
                Trail(trades_, group, *balance_, [&](const Trade& t) { return step(t); }).find();
            TradeOrder sorted;
            sorted.reserve(group.size());
            for (const std::uint32_t position : found.positions) {
                sorted.push_back(group[position]);
            }
            if (keep_minutes && !(found.proven && minutes_ascend(sorted))) {
                return false;
            }
            std::copy(sorted.begin(), sorted.end(), group.begin());
        } else if (keep_minutes) {
            return false;
        }
        for (const std::uint32_t index : group) {
            const Trade& t = trades_[index];
            balance_ = t.funds_at_close.value_or(*balance_ + step(t));
        }
        return true;
    }

    [[nodiscard]] bool minutes_ascend(const TradeOrder& order) const {
        std::int32_t last = -1;
        return std::all_of(order.begin(), order.end(), [&](std::uint32_t i) {
            if (is_untimed(trades_[i])) {
                return true;
            }
            const std::int32_t before = std::exchange(last, realized_minute(trades_[i]));
            return before <= last;
        });
    }

    std::span<const Trade> trades_;
    TradeOrder& order_;
    bool net_;
    std::optional<double> balance_;
};

TradeOrder proven_order(std::span<const Trade> trades) {
    TradeOrder order = closefull_order(trades);
    Prover(trades, order).run();
    return order;
}

}  // namespace

bool same_balance(double a, double b) {
    const double scale = std::max(std::fabs(a), std::fabs(b));
    return std::fabs(a - b) <= kFundsTolerance + 4 * std::numeric_limits<double>::epsilon() * scale;
}

bool funds_follow_net(std::span<const Trade> trades, const TradeOrder& order) {
    std::int64_t net_fits = 0;
    std::int64_t file_fits = 0;
    for (std::size_t i = 1; i < order.size(); ++i) {
        const Trade& before = trades[order[i - 1]];
        const Trade& t = trades[order[i]];
        if (t.basis == PlBasis::kGrossBeforeFees && before.funds_at_close && t.funds_at_close) {
            const double step = *t.funds_at_close - *before.funds_at_close;
            net_fits += same_balance(step, t.net_pl()) ? 1 : 0;
            file_fits += same_balance(step, t.pl) ? 1 : 0;
        }
    }
    return net_fits >= file_fits;
}

void rank_realizations(std::span<Trade> trades) {
    const TradeOrder order = proven_order(trades);
    for (std::size_t rank = 0; rank < order.size(); ++rank) {
        trades[order[rank]].realization_rank = static_cast<std::uint32_t>(rank);
    }
}

TradeOrder realization_order(std::span<const Trade> trades) {
    const bool ranked = std::all_of(trades.begin(), trades.end(), [](const Trade& t) {
        return t.realization_rank != Trade::kUnranked;
    });
    if (!ranked) {
        return proven_order(trades);
    }
    TradeOrder order(trades.size());
    std::iota(order.begin(), order.end(), 0U);
    std::vector<std::uint32_t> ranks(trades.size());
    std::transform(trades.begin(), trades.end(), ranks.begin(),
                   [](const Trade& t) { return t.realization_rank; });
    const auto earlier = [&](std::uint32_t a, std::uint32_t b) { return ranks[a] < ranks[b]; };
    if (std::is_sorted(order.begin(), order.end(), earlier)) {
        return order;
    }
    // Ranks of most of a block are dense: one place each.
    const std::size_t places = *std::max_element(ranks.begin(), ranks.end()) + std::size_t{1};
    if (places <= 4 * trades.size()) {
        std::vector<std::uint32_t> at(places, Trade::kUnranked);
        bool distinct = true;
        for (const std::uint32_t index : order) {
            std::uint32_t& place = at[ranks[index]];
            distinct = distinct && place == Trade::kUnranked;
            place = index;
        }
        if (distinct) {
            std::erase(at, Trade::kUnranked);
            return at;
        }
    }
    std::stable_sort(order.begin(), order.end(), earlier);
    return order;
}

std::string FundsChain::warning() const {
    if (!first) {
        return {};
    }
    return fmt::format(
        "the funds column does not follow from the P/L at {} of {} trades, first at the one closed "
        "{}{}, where {} was expected and {} is stated: deposits, withdrawals or trades "
        "that "
        "are not in the file",
        broken, steps, first->date.to_iso(),
        first->source_line > 0 ? fmt::format(" (line {})", first->source_line) : "",
        readable_amount(first->expected), readable_amount(first->stated));
}

FundsChain check_funds_chain(std::span<const Trade> trades, const TradeOrder& order) {
    FundsChain chain;
    const bool net = funds_follow_net(trades, order);
    std::optional<double> balance;
    for (const std::uint32_t index : order) {
        const Trade& t = trades[index];
        const double step = net ? t.net_pl() : t.pl;
        if (balance && t.funds_at_close) {
            ++chain.steps;
            const double expected = *balance + step;
            if (!same_balance(expected, *t.funds_at_close)) {
                ++chain.broken;
                if (!chain.first) {
                    chain.first = FundsChain::Break{t.realized_on(), t.source_line, expected,
                                                    *t.funds_at_close};
                }
            }
        }
        balance = t.funds_at_close ? t.funds_at_close
                                   : (balance ? std::optional(*balance + step) : std::nullopt);
    }
    return chain;
}

}  // namespace tb::analytics
