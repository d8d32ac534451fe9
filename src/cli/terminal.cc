#include "cli/terminal.h"

#include <sys/ioctl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

namespace tb::cli {

namespace {

constexpr std::size_t kBufferBytes = 1U << 16U;
constexpr auto kRedrawInterval = std::chrono::milliseconds(100);

bool environment_has(const char* name) {
    const char* const value = std::getenv(name);
    return value != nullptr && *value != '\0';
}

std::string_view escape_of(Style style) {
    switch (style) {
        case Style::kPlain:
            return "";
        case Style::kBold:
            return "\x1b[1m";
        case Style::kDim:
            return "\x1b[2m";
        case Style::kRed:
            return "\x1b[31m";
        case Style::kGreen:
            return "\x1b[32m";
        case Style::kYellow:
            return "\x1b[33m";
    }
    return "";
}

struct CodePoint {
    char32_t value = 0xFFFD;
    std::size_t bytes = 1;
    bool valid = false;
};

// The character at the start of `text` (not empty).
CodePoint decode(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char first = byte(0);
    if (first < 0x80) {
        return {first, 1, true};
    }
    const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 0;
    if (length == 0 || first > 0xF4 || text.size() < length) {
        return {};
    }
    char32_t value = first & (0x7FU >> length);
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xC0U) != 0x80U) {
            return {};
        }
        value = (value << 6U) | (byte(i) & 0x3FU);
    }
    const bool overlong = (length == 3 && value < 0x800) || (length == 4 && value < 0x10000);
    if (overlong || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) {
        return {};
    }
    return {value, length, true};
}

struct Range {
    char32_t first;
    char32_t last;
};

// Enough of Unicode for names of strategies and folders, not all of it.
constexpr std::array kZeroWidth{
    Range{0x300, 0x36F},   Range{0x483, 0x489},   Range{0x591, 0x5BD},   Range{0x610, 0x61A},
    Range{0x64B, 0x65F},   Range{0x200B, 0x200F}, Range{0x202A, 0x202E}, Range{0x2060, 0x2064},
    Range{0x20D0, 0x20F0}, Range{0xFE00, 0xFE0F}, Range{0xFE20, 0xFE2F}, Range{0xFEFF, 0xFEFF}};
constexpr std::array kWide{
    Range{0x1100, 0x115F},   Range{0x2E80, 0x303E},   Range{0x3041, 0xA4CF},
    Range{0xAC00, 0xD7A3},   Range{0xF900, 0xFAFF},   Range{0xFE30, 0xFE6F},
    Range{0xFF00, 0xFF60},   Range{0xFFE0, 0xFFE6},   Range{0x1F300, 0x1F64F},
    Range{0x1F680, 0x1F6FF}, Range{0x1F900, 0x1FAFF}, Range{0x20000, 0x3FFFD}};

template <std::size_t N>
bool within(const std::array<Range, N>& ranges, char32_t c) {
    return std::any_of(ranges.begin(), ranges.end(),
                       [c](const Range& range) { return c >= range.first && c <= range.last; });
}

std::size_t columns_of(char32_t c) {
    if (within(kZeroWidth, c)) {
        return 0;
    }
    return within(kWide, c) ? 2 : 1;
}

// Marks that change the direction of writing can make a line read as something else.
bool changes_direction(char32_t c) {
    return (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

// Control characters that stay as they are.
enum class Passing { kNothing, kLines, kLinesAndStyles };

// The length of the escape of paint() that `text` begins with; 0 = none.
std::size_t own_escape(std::string_view text) {
    constexpr std::string_view kEnd = "\x1b[0m";
    if (text.starts_with(kEnd)) {
        return kEnd.size();
    }
    for (const Style style :
         {Style::kBold, Style::kDim, Style::kRed, Style::kGreen, Style::kYellow}) {
        if (text.starts_with(escape_of(style))) {
            return escape_of(style).size();
        }
    }
    return 0;
}

std::string made_harmless(std::string_view text, Passing passing) {
    std::string result;
    result.reserve(text.size());
    while (!text.empty()) {
        const CodePoint c = decode(text);
        std::size_t bytes = c.bytes;
        if (!c.valid || changes_direction(c.value) || (c.value >= 0x80 && c.value < 0xA0)) {
            result += "\uFFFD";
        } else if (passing != Passing::kNothing && (c.value == '\n' || c.value == '\t')) {
            result += static_cast<char>(c.value);
        } else if (const std::size_t escape =
                       passing == Passing::kLinesAndStyles ? own_escape(text) : 0;
                   escape > 0) {
            result += text.substr(0, escape);
            bytes = escape;
        } else if (c.value < 0x20) {
            // U+2400 and following are pictures of the control characters.
            result += {'\xE2', '\x90', static_cast<char>(0x80 + c.value)};
        } else if (c.value == 0x7F) {
            result += "\u2421";
        } else {
            result += text.substr(0, c.bytes);
        }
        text.remove_prefix(bytes);
    }
    return result;
}

// How many bytes of `text` come before a character that has only begun at its end.
std::size_t whole_characters(std::string_view text) {
    constexpr std::size_t kLongest = 4;
    for (std::size_t back = 1; back < kLongest && back <= text.size(); ++back) {
        const auto byte = static_cast<unsigned char>(text[text.size() - back]);
        if ((byte & 0xC0U) == 0x80U) {
            continue;
        }
        const std::size_t length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC2 ? 2 : 1;
        return length > back ? text.size() - back : text.size();
    }
    return text.size();
}

}  // namespace

void Output::append(std::string_view text) {
    if (closed_ || error_ != 0) {
        return;
    }
    buffer_ += text;
    if (buffer_.size() >= kBufferBytes) {
        send();
    }
}

void Output::write(std::string_view text) {
    end_data();
    append(is_terminal_ ? made_harmless(text, Passing::kLinesAndStyles) : std::string(text));
}

void Output::write_data(std::string_view text) {
    if (!is_terminal_) {
        append(text);
        return;
    }
    std::string whole = std::exchange(begun_, {}) + std::string(text);
    begun_ = whole.substr(whole_characters(whole));
    whole.resize(whole.size() - begun_.size());
    append(made_harmless(whole, Passing::kLines));
}

void Output::end_data() {
    if (!begun_.empty()) {
        append(made_harmless(std::exchange(begun_, {}), Passing::kLines));
    }
}

void Output::flush() {
    end_data();
    send();
}

void Output::send() {
    std::string_view rest = buffer_;
    while (!rest.empty() && !closed_ && error_ == 0) {
        const ssize_t written = ::write(fd_, rest.data(), rest.size());
        if (written >= 0) {
            rest.remove_prefix(static_cast<std::size_t>(written));
        } else if (errno == EPIPE) {
            closed_ = true;
        } else if (errno != EINTR && errno != EAGAIN) {
            error_ = errno;
        }
    }
    buffer_.clear();
}

TerminalSettings TerminalSettings::detect() {
    TerminalSettings settings;
    const bool dumb = [] {
        const char* const term = std::getenv("TERM");
        return term != nullptr && std::string_view(term) == "dumb";
    }();
    const bool colour = !environment_has("NO_COLOR") && !dumb;
    settings.out_colour = colour && ::isatty(settings.out_fd) == 1;
    settings.err_colour = colour && ::isatty(settings.err_fd) == 1;
    settings.show_progress = !dumb && ::isatty(settings.err_fd) == 1;
    winsize size{};
    for (const int fd : {settings.out_fd, settings.err_fd}) {
        if (::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
            settings.width = size.ws_col;
            break;
        }
    }
    settings.out_width = ::isatty(settings.out_fd) == 1 ? settings.width : 0;
    return settings;
}

Terminal::Terminal(const TerminalSettings& settings)
    : settings_(settings), out_(settings.out_fd, settings.out_width > 0), err_(settings.err_fd) {}

std::string Terminal::paint(Style style, std::string_view text) const {
    if (!settings_.out_colour || style == Style::kPlain) {
        return std::string(text);
    }
    return fmt::format("{}{}\x1b[0m", escape_of(style), text);
}

void Terminal::message(Style style, std::string_view prefix, std::string_view text) {
    clear_progress();
    out_.flush();  // so that both streams on one terminal come in the order written
    const bool coloured = settings_.err_colour && style != Style::kPlain;
    err_.write("tradeblocks: ");
    if (!prefix.empty()) {
        err_.write(coloured ? escape_of(style) : "");
        err_.write(prefix);
        err_.write(coloured ? "\x1b[0m" : "");
    }
    bool first = true;
    while (first || !text.empty()) {
        const std::size_t end = text.find('\n');
        const std::string_view line = text.substr(0, end);
        if (first || !line.empty()) {
            err_.write(first ? "" : "tradeblocks:   ");
            err_.write(printable(line));
            err_.write("\n");
        }
        first = false;
        text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    }
    err_.flush();
}

void Terminal::note(std::string_view text) {
    message(Style::kPlain, "", text);
}
void Terminal::warning(std::string_view text) {
    message(Style::kYellow, "warning: ", text);
}
void Terminal::error(const Error& error) {
    message(Style::kRed, "error: ", error.to_string());
}

void Terminal::progress(const Progress& progress) {
    if (!settings_.show_progress) {
        return;
    }
    const auto now = std::chrono::steady_clock::now();
    if (progress_shown_ && now - last_drawn_ < kRedrawInterval) {
        return;
    }
    last_drawn_ = now;
    progress_shown_ = true;
    std::string line;
    if (progress.total > 0) {
        constexpr std::size_t kBar = 24;
        const auto done = std::min(progress.done, progress.total);
        const auto filled = static_cast<std::size_t>(done * kBar / progress.total);
        const bool is_share = progress.unit == "bytes";  // of a file: nobody counts them
        line = is_share
                   ? fmt::format("[{}{}] {}%", std::string(filled, '#'),
                                 std::string(kBar - filled, '.'), done * 100 / progress.total)
                   : fmt::format("[{}{}] {}/{} {}", std::string(filled, '#'),
                                 std::string(kBar - filled, '.'),
                                 grouped(static_cast<std::int64_t>(done)),
                                 grouped(static_cast<std::int64_t>(progress.total)), progress.unit);
    } else {
        line =
            fmt::format("{} {}", grouped(static_cast<std::int64_t>(progress.done)), progress.unit);
    }
    if (!progress.message.empty()) {
        line += "  " + printable(progress.message);
    }
    err_.write("\r" + shorten(line, settings_.width - 1) + "\x1b[K");
    err_.flush();
}

void Terminal::clear_progress() {
    if (std::exchange(progress_shown_, false)) {
        err_.write("\r\x1b[K");
        err_.flush();
    }
}

std::string printable(std::string_view text) {
    return made_harmless(text, Passing::kNothing);
}

std::size_t display_width(std::string_view utf8) {
    std::size_t width = 0;
    while (!utf8.empty()) {
        const CodePoint c = decode(utf8);
        width += columns_of(c.value);
        utf8.remove_prefix(c.bytes);
    }
    return width;
}

std::string shorten(std::string_view utf8, std::size_t columns) {
    if (display_width(utf8) <= columns) {
        return std::string(utf8);
    }
    std::size_t width = 0;
    std::size_t bytes = 0;
    while (bytes < utf8.size()) {
        const CodePoint c = decode(utf8.substr(bytes));
        if (width + columns_of(c.value) + 1 > columns) {
            break;
        }
        width += columns_of(c.value);
        bytes += c.bytes;
    }
    return columns == 0 ? std::string() : std::string(utf8.substr(0, bytes)) + "…";
}

std::string grouped(std::int64_t value) {
    std::string digits = std::to_string(value);
    const std::size_t first = value < 0 ? 1 : 0;
    for (std::size_t at = digits.size(); at > first + 3;) {
        at -= 3;
        digits.insert(at, 1, ',');
    }
    return digits;
}

std::string counted(std::int64_t count, std::string_view noun) {
    return fmt::format("{} {}{}", grouped(count), noun, count == 1 ? "" : "s");
}

std::string duration_text(double milliseconds) {
    if (milliseconds < 1000) {
        return fmt::format("{:.0f} ms", milliseconds);
    }
    if (milliseconds < 60'000) {
        return fmt::format("{:.2f} s", milliseconds / 1000);
    }
    const auto seconds = static_cast<std::int64_t>(milliseconds / 1000);
    return fmt::format("{} min {} s", seconds / 60, seconds % 60);
}

}  // namespace tb::cli
