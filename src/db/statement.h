// A prepared statement with typed parameters. Prepare once and bind again for repeated use; values
// stay bound until bound anew.
//
// Single-thread (its connection's thread), move-only. Keeps its connection open.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "core/clock.h"
#include "core/date.h"
#include "core/result.h"
#include "db/rows.h"

namespace tb::db {

namespace detail {
struct StatementState;
}

class Statement {
  public:
    Statement(Statement&&) noexcept = default;
    Statement& operator=(Statement&&) noexcept = default;
    Statement(const Statement&) = delete;
    Statement& operator=(const Statement&) = delete;
    ~Statement() = default;

    // Parameters are numbered from 1. kInvalidArgument for a number the statement does not have.
    // Text must be UTF-8 (checked by the engine) and is copied.
    [[nodiscard]] Result<void> bind_null(std::size_t parameter);
    [[nodiscard]] Result<void> bind_bool(std::size_t parameter, bool value);
    [[nodiscard]] Result<void> bind_int32(std::size_t parameter, std::int32_t value);
    [[nodiscard]] Result<void> bind_int64(std::size_t parameter, std::int64_t value);
    [[nodiscard]] Result<void> bind_double(std::size_t parameter, double value);
    [[nodiscard]] Result<void> bind_string(std::size_t parameter, std::string_view value);
    [[nodiscard]] Result<void> bind_date(std::size_t parameter, Date value);
    [[nodiscard]] Result<void> bind_timestamp(std::size_t parameter, Timestamp value);

    // By the argument's own type; std::nullopt, nullptr and empty optionals are NULL. Integers that
    // do not fit 64 signed bits do not compile.
    template <class T>
    [[nodiscard]] Result<void> bind(std::size_t parameter, const T& value);
    // $1 = first argument, and so on; kInvalidArgument unless their number is the statement's.
    template <class... Args>
    [[nodiscard]] Result<void> bind_all(const Args&... args);

    [[nodiscard]] std::size_t parameter_count() const;

    // Runs to the end; rows changed by INSERT, UPDATE, DELETE, else 0.
    [[nodiscard]] Result<std::int64_t> run();
    // Rows as the engine makes them. See Rows for what must not happen meanwhile.
    [[nodiscard]] Result<Rows> query();
    // All rows in memory.
    [[nodiscard]] Result<Rows> collect();

    // For src/db only (engine.h).
    [[nodiscard]] const std::shared_ptr<detail::StatementState>& state() const { return state_; }

  private:
    friend class Connection;
    explicit Statement(std::shared_ptr<detail::StatementState> state) : state_(std::move(state)) {}
    [[nodiscard]] Result<void> check_count(std::size_t given) const;

    std::shared_ptr<detail::StatementState> state_;
};

namespace detail {
template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};
}  // namespace detail

template <class T>
Result<void> Statement::bind(std::size_t parameter, const T& value) {
    if constexpr (std::is_same_v<T, std::nullopt_t> || std::is_same_v<T, std::nullptr_t>) {
        return bind_null(parameter);
    } else if constexpr (detail::IsOptional<T>::value) {
        return value.has_value() ? bind(parameter, *value) : bind_null(parameter);
    } else if constexpr (std::is_same_v<T, bool>) {
        return bind_bool(parameter, value);
    } else if constexpr (std::integral<T>) {
        static_assert(sizeof(T) < 8 || std::is_signed_v<T>, "cast to a signed 64-bit value first");
        if constexpr (sizeof(T) < 4 || (sizeof(T) == 4 && std::is_signed_v<T>)) {
            return bind_int32(parameter, static_cast<std::int32_t>(value));
        } else {
            return bind_int64(parameter, static_cast<std::int64_t>(value));
        }
    } else if constexpr (std::floating_point<T>) {
        return bind_double(parameter, static_cast<double>(value));
    } else if constexpr (std::is_same_v<T, Date>) {
        return bind_date(parameter, value);
    } else if constexpr (std::is_same_v<T, Timestamp>) {
        return bind_timestamp(parameter, value);
    } else {
        static_assert(std::is_convertible_v<const T&, std::string_view>,
                      "no binding for this type");
        return bind_string(parameter, std::string_view(value));
    }
}

template <class... Args>
Result<void> Statement::bind_all(const Args&... args) {
    TB_RETURN_IF_ERROR(check_count(sizeof...(args)));
    Result<void> result;
    [[maybe_unused]] std::size_t parameter = 0;
    static_cast<void>(((result = bind(++parameter, args)).has_value() && ...));
    return result;
}

}  // namespace tb::db
