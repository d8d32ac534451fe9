#include "db/value_render.h"

#include <charconv>
#include <cmath>
#include <cstring>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "db/engine.h"
#include "db/value_render_text.h"

namespace tb::db {

namespace {

constexpr std::string_view kMaxExactInteger = "9007199254740992";  // 2^53

// What is known about one column (or the inside of one) for the whole result.
struct Type {
    duckdb_type id = DUCKDB_TYPE_INVALID;
    duckdb_type storage = DUCKDB_TYPE_INVALID;  // of decimals and enums
    std::uint8_t scale = 0;
    std::uint64_t array_size = 0;
    std::vector<std::string> names;  // enum words; struct fields; union members
    bool nameless = false;           // a struct made by row(...)
    std::vector<Type> children;
};

// Where the values of the current chunk are.
struct Place {
    duckdb_vector vector = nullptr;
    const void* data = nullptr;
    const std::uint64_t* validity = nullptr;
    std::vector<Place> children;

    [[nodiscard]] bool is_null(std::uint64_t row) const {
        return validity != nullptr && ((validity[row / 64] >> (row % 64)) & 1U) == 0;
    }
    template <class T>
    [[nodiscard]] T at(std::uint64_t row) const {
        T value;
        std::memcpy(&value, static_cast<const char*>(data) + row * sizeof(T), sizeof(T));
        return value;
    }
    [[nodiscard]] std::string_view text(std::uint64_t row) const {
        auto* const value =
            const_cast<duckdb_string_t*>(static_cast<const duckdb_string_t*>(data) + row);
        return {duckdb_string_t_data(value), duckdb_string_t_length(*value)};
    }
};

bool is_text(duckdb_type id) {
    return id == DUCKDB_TYPE_VARCHAR || id == DUCKDB_TYPE_BLOB || id == DUCKDB_TYPE_BIT ||
           id == DUCKDB_TYPE_BIGNUM;
}

Result<Type> read_type(duckdb_logical_type logical);

Result<void> add_child(Type& type, duckdb_logical_type owned) {
    const UniqueLogicalType child(owned);
    TB_TRY(Type read, read_type(child.get()));
    type.children.push_back(std::move(read));
    return {};
}

Result<void> read_struct(Type& type, duckdb_logical_type logical) {
    const idx_t count = duckdb_struct_type_child_count(logical);
    type.nameless = count > 0;
    for (idx_t i = 0; i < count; ++i) {
        const EngineString name(duckdb_struct_type_child_name(logical, i));
        type.names.emplace_back(name.get());
        type.nameless = type.nameless && type.names.back().empty();
        TB_RETURN_IF_ERROR(add_child(type, duckdb_struct_type_child_type(logical, i)));
    }
    return {};
}

Result<void> read_union(Type& type, duckdb_logical_type logical) {
    const idx_t count = duckdb_union_type_member_count(logical);
    for (idx_t i = 0; i < count; ++i) {
        TB_RETURN_IF_ERROR(add_child(type, duckdb_union_type_member_type(logical, i)));
    }
    return {};
}

void read_enum(Type& type, duckdb_logical_type logical) {
    type.storage = duckdb_enum_internal_type(logical);
    const std::uint32_t count = duckdb_enum_dictionary_size(logical);
    for (std::uint32_t i = 0; i < count; ++i) {
        const EngineString word(duckdb_enum_dictionary_value(logical, i));
        type.names.emplace_back(word.get());
    }
}

Result<Type> read_type(duckdb_logical_type logical) {
    Type type;
    type.id = duckdb_get_type_id(logical);
    switch (type.id) {
        case DUCKDB_TYPE_DECIMAL:
            type.storage = duckdb_decimal_internal_type(logical);
            type.scale = duckdb_decimal_scale(logical);
            return type;
        case DUCKDB_TYPE_ENUM:
            read_enum(type, logical);
            return type;
        case DUCKDB_TYPE_LIST:
            TB_RETURN_IF_ERROR(add_child(type, duckdb_list_type_child_type(logical)));
            return type;
        case DUCKDB_TYPE_ARRAY:
            type.array_size = duckdb_array_type_array_size(logical);
            TB_RETURN_IF_ERROR(add_child(type, duckdb_array_type_child_type(logical)));
            return type;
        case DUCKDB_TYPE_MAP:
            TB_RETURN_IF_ERROR(add_child(type, duckdb_map_type_key_type(logical)));
            TB_RETURN_IF_ERROR(add_child(type, duckdb_map_type_value_type(logical)));
            return type;
        case DUCKDB_TYPE_STRUCT:
            TB_RETURN_IF_ERROR(read_struct(type, logical));
            return type;
        case DUCKDB_TYPE_UNION:
            TB_RETURN_IF_ERROR(read_union(type, logical));
            return type;
        case DUCKDB_TYPE_INVALID:
        case DUCKDB_TYPE_ANY:
        case DUCKDB_TYPE_STRING_LITERAL:
        case DUCKDB_TYPE_INTEGER_LITERAL:
            break;
        default:
            if (type.id <= DUCKDB_TYPE_TIME_NS) {
                return type;
            }
            break;
    }
    // The C API of 1.4 has no id for TIME_NS and VARIANT either.
    return make_error(ErrorCode::kDatabase,
                      "values of this type cannot be shown: CAST the column to VARCHAR");
}

Place locate(const Type& type, duckdb_vector vector) {
    Place place;
    place.vector = vector;
    place.data = duckdb_vector_get_data(vector);
    place.validity = duckdb_vector_get_validity(vector);
    switch (type.id) {
        case DUCKDB_TYPE_LIST:
            place.children.push_back(
                locate(type.children[0], duckdb_list_vector_get_child(vector)));
            break;
        case DUCKDB_TYPE_ARRAY:
            place.children.push_back(
                locate(type.children[0], duckdb_array_vector_get_child(vector)));
            break;
        case DUCKDB_TYPE_MAP: {
            const duckdb_vector entries = duckdb_list_vector_get_child(vector);
            for (idx_t i = 0; i < 2; ++i) {
                place.children.push_back(
                    locate(type.children[i], duckdb_struct_vector_get_child(entries, i)));
            }
            break;
        }
        case DUCKDB_TYPE_STRUCT:
            for (idx_t i = 0; i < type.children.size(); ++i) {
                place.children.push_back(
                    locate(type.children[i], duckdb_struct_vector_get_child(vector, i)));
            }
            break;
        case DUCKDB_TYPE_UNION: {
            // Stored as a struct whose first field says which of the others is meant.
            Type tag;
            tag.id = DUCKDB_TYPE_UTINYINT;
            place.children.push_back(locate(tag, duckdb_struct_vector_get_child(vector, 0)));
            for (idx_t i = 0; i < type.children.size(); ++i) {
                place.children.push_back(
                    locate(type.children[i], duckdb_struct_vector_get_child(vector, i + 1)));
            }
            break;
        }
        default:
            break;
    }
    return place;
}

// A scalar's text, and whether JSON puts it into quotes.
struct Scalar {
    std::string text;
    bool quoted = false;
};

Scalar integer(std::string digits) {
    const std::string_view magnitude =
        std::string_view(digits).substr(digits.front() == '-' ? 1 : 0);
    const bool exact =
        magnitude.size() < kMaxExactInteger.size() ||
        (magnitude.size() == kMaxExactInteger.size() && magnitude <= kMaxExactInteger);
    return {std::move(digits), !exact};
}

Scalar floating(double value, float narrow, bool is_float) {
    if (!std::isfinite(value)) {
        return {"null", false};
    }
    Scalar result;
    if (is_float) {
        // The shortest digits of the float itself, not of the double next to it.
        char buffer[40];
        const auto end = std::to_chars(buffer, buffer + sizeof buffer, narrow);
        std::from_chars(buffer, end.ptr, value);
    }
    append_js_number(result.text, value);
    return result;
}

Scalar decimal(const Type& type, const Place& place, std::uint64_t row) {
    detail::Int128 unscaled = 0;
    switch (type.storage) {
        case DUCKDB_TYPE_SMALLINT:
            unscaled = place.at<std::int16_t>(row);
            break;
        case DUCKDB_TYPE_INTEGER:
            unscaled = place.at<std::int32_t>(row);
            break;
        case DUCKDB_TYPE_BIGINT:
            unscaled = place.at<std::int64_t>(row);
            break;
        default:
            unscaled = detail::to_int128(place.at<duckdb_hugeint>(row));
            break;
    }
    std::string text = detail::decimal_text(unscaled, type.scale);
    const bool exact = detail::double_holds(text);
    return {std::move(text), !exact};
}

Scalar enum_word(const Type& type, const Place& place, std::uint64_t row) {
    std::size_t index = 0;
    switch (type.storage) {
        case DUCKDB_TYPE_UTINYINT:
            index = place.at<std::uint8_t>(row);
            break;
        case DUCKDB_TYPE_USMALLINT:
            index = place.at<std::uint16_t>(row);
            break;
        default:
            index = place.at<std::uint32_t>(row);
            break;
    }
    return {index < type.names.size() ? type.names[index] : std::string(), true};
}

template <class T>
Scalar small_integer(const Place& place, std::uint64_t row) {
    return integer(fmt::format("{}", place.at<T>(row)));
}

Scalar scalar(const Type& type, const Place& place, std::uint64_t row) {
    switch (type.id) {
        case DUCKDB_TYPE_BOOLEAN:
            return {place.at<std::uint8_t>(row) != 0 ? "true" : "false", false};
        case DUCKDB_TYPE_TINYINT:
            return small_integer<std::int8_t>(place, row);
        case DUCKDB_TYPE_SMALLINT:
            return small_integer<std::int16_t>(place, row);
        case DUCKDB_TYPE_INTEGER:
            return small_integer<std::int32_t>(place, row);
        case DUCKDB_TYPE_BIGINT:
            return small_integer<std::int64_t>(place, row);
        case DUCKDB_TYPE_UTINYINT:
            return small_integer<std::uint8_t>(place, row);
        case DUCKDB_TYPE_USMALLINT:
            return small_integer<std::uint16_t>(place, row);
        case DUCKDB_TYPE_UINTEGER:
            return small_integer<std::uint32_t>(place, row);
        case DUCKDB_TYPE_UBIGINT:
            return small_integer<std::uint64_t>(place, row);
        case DUCKDB_TYPE_HUGEINT:
            return integer(detail::int128_text(detail::to_int128(place.at<duckdb_hugeint>(row))));
        case DUCKDB_TYPE_UHUGEINT:
            return integer(
                detail::uint128_text(detail::to_uint128(place.at<duckdb_uhugeint>(row))));
        case DUCKDB_TYPE_BIGNUM:
            return integer(detail::bignum_text(place.text(row)));
        case DUCKDB_TYPE_FLOAT: {
            const auto value = place.at<float>(row);
            return floating(static_cast<double>(value), value, true);
        }
        case DUCKDB_TYPE_DOUBLE:
            return floating(place.at<double>(row), 0, false);
        case DUCKDB_TYPE_DECIMAL:
            return decimal(type, place, row);
        case DUCKDB_TYPE_ENUM:
            return enum_word(type, place, row);
        case DUCKDB_TYPE_DATE:
            return {detail::date_text(place.at<std::int32_t>(row)), true};
        case DUCKDB_TYPE_TIME:
            return {detail::time_text(place.at<std::int64_t>(row) * 1000), true};
        case DUCKDB_TYPE_TIME_NS:
            return {detail::time_text(place.at<std::int64_t>(row)), true};
        case DUCKDB_TYPE_TIME_TZ:
            return {detail::time_tz_text(place.at<std::uint64_t>(row)), true};
        case DUCKDB_TYPE_TIMESTAMP:
            return {detail::timestamp_text(place.at<std::int64_t>(row), 1'000'000, ""), true};
        case DUCKDB_TYPE_TIMESTAMP_TZ:
            return {detail::timestamp_text(place.at<std::int64_t>(row), 1'000'000, "Z"), true};
        case DUCKDB_TYPE_TIMESTAMP_S:
            return {detail::timestamp_text(place.at<std::int64_t>(row), 1, ""), true};
        case DUCKDB_TYPE_TIMESTAMP_MS:
            return {detail::timestamp_text(place.at<std::int64_t>(row), 1000, ""), true};
        case DUCKDB_TYPE_TIMESTAMP_NS:
            return {detail::timestamp_text(place.at<std::int64_t>(row), 1'000'000'000, ""), true};
        case DUCKDB_TYPE_INTERVAL:
            return {detail::interval_text(place.at<duckdb_interval>(row)), true};
        case DUCKDB_TYPE_UUID:
            return {detail::uuid_text(place.at<duckdb_hugeint>(row)), true};
        case DUCKDB_TYPE_BLOB:
            return {detail::blob_text(place.text(row)), true};
        case DUCKDB_TYPE_BIT:
            return {detail::bit_text(place.text(row)), true};
        case DUCKDB_TYPE_VARCHAR:
            return {std::string(place.text(row)), true};
        default:
            return {"null", false};  // SQLNULL
    }
}

bool is_nested(duckdb_type id) {
    return id == DUCKDB_TYPE_LIST || id == DUCKDB_TYPE_ARRAY || id == DUCKDB_TYPE_STRUCT ||
           id == DUCKDB_TYPE_MAP || id == DUCKDB_TYPE_UNION;
}

void append_value(std::string& out, const Type& type, const Place& place, std::uint64_t row);

void append_items(std::string& out, const Type& type, const Place& place, std::uint64_t first,
                  std::uint64_t count) {
    out += '[';
    for (std::uint64_t i = 0; i < count; ++i) {
        out += i == 0 ? "" : ",";
        append_value(out, type.children[0], place.children[0], first + i);
    }
    out += ']';
}

void append_struct(std::string& out, const Type& type, const Place& place, std::uint64_t row) {
    out += type.nameless ? '[' : '{';
    for (std::size_t i = 0; i < type.children.size(); ++i) {
        out += i == 0 ? "" : ",";
        if (!type.nameless) {
            append_visible_json_string(out, type.names[i]);
            out += ':';
        }
        append_value(out, type.children[i], place.children[i], row);
    }
    out += type.nameless ? ']' : '}';
}

// The value without quotes around strings; nothing for null.
void append_plain(std::string& out, const Type& type, const Place& place, std::uint64_t row);

void append_map(std::string& out, const Type& type, const Place& place, std::uint64_t row) {
    const auto entry = place.at<duckdb_list_entry>(row);
    out += '{';
    for (std::uint64_t i = 0; i < entry.length; ++i) {
        std::string key;
        append_plain(key, type.children[0], place.children[0], entry.offset + i);
        out += i == 0 ? "" : ",";
        append_visible_json_string(out, key);
        out += ':';
        append_value(out, type.children[1], place.children[1], entry.offset + i);
    }
    out += '}';
}

void append_value(std::string& out, const Type& type, const Place& place, std::uint64_t row) {
    if (place.is_null(row)) {
        out += "null";
        return;
    }
    switch (type.id) {
        case DUCKDB_TYPE_LIST: {
            const auto entry = place.at<duckdb_list_entry>(row);
            return append_items(out, type, place, entry.offset, entry.length);
        }
        case DUCKDB_TYPE_ARRAY:
            return append_items(out, type, place, row * type.array_size, type.array_size);
        case DUCKDB_TYPE_STRUCT:
            return append_struct(out, type, place, row);
        case DUCKDB_TYPE_MAP:
            return append_map(out, type, place, row);
        case DUCKDB_TYPE_UNION: {
            const std::size_t member = place.children[0].at<std::uint8_t>(row);
            if (member >= type.children.size()) {
                out += "null";
                return;
            }
            return append_value(out, type.children[member], place.children[member + 1], row);
        }
        case DUCKDB_TYPE_VARCHAR:
            return append_visible_json_string(out, place.text(row));
        default:
            break;
    }
    const Scalar value = scalar(type, place, row);
    if (value.quoted) {
        append_visible_json_string(out, value.text);
    } else {
        out += value.text;
    }
}

void append_plain(std::string& out, const Type& type, const Place& place, std::uint64_t row) {
    if (place.is_null(row)) {
        return;
    }
    if (type.id == DUCKDB_TYPE_VARCHAR) {
        out += place.text(row);
    } else if (type.id == DUCKDB_TYPE_UNION) {
        const std::size_t member = place.children[0].at<std::uint8_t>(row);
        if (member < type.children.size()) {
            append_plain(out, type.children[member], place.children[member + 1], row);
        }
    } else if (is_nested(type.id)) {
        append_value(out, type, place, row);
    } else {
        const Scalar value = scalar(type, place, row);
        out += value.quoted || value.text != "null" ? value.text : "";
    }
}

// The code point that starts at `at` of valid UTF-8, and its length in bytes.
std::pair<std::uint32_t, std::size_t> code_point(std::string_view text, std::size_t at) {
    const auto byte = [&](std::size_t i) {
        return at + i < text.size()
                   ? static_cast<std::uint32_t>(static_cast<unsigned char>(text[at + i]))
                   : 0U;
    };
    const std::uint32_t lead = byte(0);
    if (lead < 0xE0) {
        return {lead < 0x80 ? lead : ((lead & 0x1FU) << 6) | (byte(1) & 0x3FU),
                lead < 0x80 ? 1 : 2};
    }
    if (lead < 0xF0) {
        return {((lead & 0x0FU) << 12) | ((byte(1) & 0x3FU) << 6) | (byte(2) & 0x3FU), 3};
    }
    return {((lead & 0x07U) << 18) | ((byte(1) & 0x3FU) << 12) | ((byte(2) & 0x3FU) << 6) |
                (byte(3) & 0x3FU),
            4};
}

bool is_invisible(std::uint32_t code) {
    return (code >= 0x80 && code <= 0x9F) || (code >= 0x200B && code <= 0x200F) ||
           (code >= 0x2028 && code <= 0x202E) || (code >= 0x2060 && code <= 0x2064) ||
           (code >= 0x2066 && code <= 0x2069) || code == 0xFEFF || code == 0x7F ||
           (code >= 0xE0000 && code <= 0xE007F);
}

}  // namespace

void append_visible_json_string(std::string& out, std::string_view text) {
    out += '"';
    std::size_t plain = 0;  // start of what has not been copied yet
    std::size_t at = 0;
    const auto flush = [&](std::size_t end) { out.append(text, plain, end - plain); };
    while (at < text.size()) {
        const auto c = static_cast<unsigned char>(text[at]);
        if (c >= 0x20 && c < 0x7F && c != '"' && c != '\\') {
            ++at;
            continue;
        }
        const auto [code, length] = code_point(text, at);
        if (c >= 0x7F && !is_invisible(code)) {
            at += length;
            continue;
        }
        flush(at);
        if (code == '"' || code == '\\') {
            out += '\\';
            out += static_cast<char>(code);
        } else if (code == '\n' || code == '\r' || code == '\t') {
            out += code == '\n' ? "\\n" : code == '\r' ? "\\r" : "\\t";
        } else if (code < 0x10000) {
            out += fmt::format("\\u{:04x}", code);
        } else {
            out += fmt::format("\\u{:04x}\\u{:04x}", 0xD800 + ((code - 0x10000) >> 10),
                               0xDC00 + ((code - 0x10000) & 0x3FF));
        }
        at += length;
        plain = at;
    }
    if (plain < text.size()) {
        flush(text.size());
    }
    out += '"';
}

std::vector<ColumnInfo> with_distinct_names(std::vector<ColumnInfo> columns) {
    std::unordered_set<std::string> wanted;
    for (const ColumnInfo& column : columns) {
        wanted.insert(column.name);
    }
    std::unordered_set<std::string> taken;
    for (ColumnInfo& column : columns) {
        const std::string name = column.name;
        for (int number = 2; !taken.insert(column.name).second; ++number) {
            column.name = fmt::format("{}_{}", name, number);
            while (wanted.contains(column.name)) {
                column.name = fmt::format("{}_{}", name, ++number);
            }
        }
    }
    return columns;
}

struct ValueRenderer::Impl {
    std::vector<Type> types;
    std::vector<Place> places;
    bool is_rendered = false;
    std::vector<RenderedCell> cells;  // instead
};

ValueRenderer::ValueRenderer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ValueRenderer::ValueRenderer(ValueRenderer&&) noexcept = default;
ValueRenderer& ValueRenderer::operator=(ValueRenderer&&) noexcept = default;
ValueRenderer::~ValueRenderer() = default;

Result<ValueRenderer> ValueRenderer::create(Rows& rows) {
    auto impl = std::make_unique<Impl>();
    for (std::size_t i = 0; i < rows.column_count(); ++i) {
        auto type = read_type(raw_column_type(rows, i));
        if (!type) {
            return with_context(type.error(), fmt::format("column \"{}\"", rows.columns()[i].name));
        }
        impl->types.push_back(std::move(*type));
    }
    return ValueRenderer(std::move(impl));
}

void ValueRenderer::load_chunk(Rows& rows) {
    const duckdb_data_chunk chunk = raw_chunk(rows);
    impl_->places.clear();
    for (std::size_t i = 0; i < impl_->types.size(); ++i) {
        impl_->places.push_back(
            locate(impl_->types[i], duckdb_data_chunk_get_vector(chunk, static_cast<idx_t>(i))));
    }
}

ValueRenderer ValueRenderer::of_rendered_rows() {
    auto impl = std::make_unique<Impl>();
    impl->is_rendered = true;
    return ValueRenderer(std::move(impl));
}

void ValueRenderer::load_rendered(std::vector<RenderedCell> cells) {
    impl_->cells = std::move(cells);
}

RenderedCell::Kind ValueRenderer::render(std::string& out, std::size_t column,
                                         std::size_t row) const {
    if (is_null(column, row)) {
        return is_non_finite(column, row) ? RenderedCell::Kind::kNonFinite
                                          : RenderedCell::Kind::kNull;
    }
    const std::size_t begin = out.size();
    append_json(out, column, row);
    if (out.size() == begin + 4 && out.compare(begin, 4, "null") == 0) {
        out.resize(begin);
        return RenderedCell::Kind::kJsonNull;
    }
    if (out.size() > begin && out[begin] == '"') {
        out.resize(begin);
        append_text(out, column, row);
        return RenderedCell::Kind::kText;
    }
    return RenderedCell::Kind::kJson;
}

std::size_t ValueRenderer::column_count() const {
    return impl_->is_rendered ? impl_->cells.size() : impl_->types.size();
}

bool ValueRenderer::is_null(std::size_t column, std::size_t row) const {
    if (impl_->is_rendered) {
        const RenderedCell::Kind kind = impl_->cells[column].kind;
        return kind == RenderedCell::Kind::kNull || kind == RenderedCell::Kind::kNonFinite;
    }
    return impl_->places[column].is_null(row) || is_non_finite(column, row);
}

bool ValueRenderer::is_non_finite(std::size_t column, std::size_t row) const {
    if (impl_->is_rendered) {
        return impl_->cells[column].kind == RenderedCell::Kind::kNonFinite;
    }
    const Place& place = impl_->places[column];
    if (place.is_null(row)) {
        return false;
    }
    switch (impl_->types[column].id) {
        case DUCKDB_TYPE_DOUBLE:
            return !std::isfinite(place.at<double>(row));
        case DUCKDB_TYPE_FLOAT:
            return !std::isfinite(place.at<float>(row));
        default:
            return false;
    }
}

std::size_t ValueRenderer::non_finite_count(std::size_t row) const {
    std::size_t count = 0;
    for (std::size_t i = 0; i < column_count(); ++i) {
        count += is_non_finite(i, row) ? 1 : 0;
    }
    return count;
}

std::size_t ValueRenderer::text_bytes(std::size_t row) const {
    std::size_t bytes = 0;
    for (const RenderedCell& cell : impl_->cells) {
        bytes += cell.kind == RenderedCell::Kind::kText ? cell.text.size() : 0;
    }
    for (std::size_t i = 0; i < impl_->types.size(); ++i) {
        if (is_text(impl_->types[i].id) && !impl_->places[i].is_null(row)) {
            bytes += impl_->places[i].text(row).size();
        }
    }
    return bytes;
}

void ValueRenderer::append_json(std::string& out, std::size_t column, std::size_t row) const {
    if (impl_->is_rendered) {
        const RenderedCell& cell = impl_->cells[column];
        if (cell.kind == RenderedCell::Kind::kText) {
            append_visible_json_string(out, cell.text);
        } else {
            out += cell.kind == RenderedCell::Kind::kJson ? cell.text : "null";
        }
        return;
    }
    append_value(out, impl_->types[column], impl_->places[column], row);
}

void ValueRenderer::append_text(std::string& out, std::size_t column, std::size_t row) const {
    if (impl_->is_rendered) {
        out += impl_->cells[column].text;
        return;
    }
    append_plain(out, impl_->types[column], impl_->places[column], row);
}

}  // namespace tb::db
