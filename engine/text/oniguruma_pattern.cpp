#include "engine/text/oniguruma_pattern.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>

#include "sim/kernel/input_error.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

namespace {

constexpr std::string_view kWhiteSpace =
    R"(\x{9}-\x{d}\x{20}\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f})"
    R"(\x{3000})";
constexpr std::string_view kNoWhiteSpace =
    R"(\x{0}-\x{8}\x{e}-\x{1f}\x{21}-\x{84}\x{86}-\x{9f}\x{a1}-\x{167f}\x{1681}-\x{1fff})"
    R"(\x{200b}-\x{2027}\x{202a}-\x{202e}\x{2030}-\x{205e}\x{2060}-\x{2fff}\x{3001}-\x{10ffff})";

constexpr std::array<std::string_view, 7> kGroups = {"(?:",  "(?i:", "(?=", "(?!",
                                                     "(?<=", "(?<!", "(?>"};
constexpr std::size_t kSetDepthMost = 16;

bool is_letter_or_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/// Reads the pattern from left to right and writes it anew.
class Translation {
 public:
  Translation(std::string_view pattern, std::string_view place)
      : pattern_(pattern), place_(place) {}

  std::string run() {
    while (at_ < pattern_.size()) take_one();
    return std::move(out_);
  }

 private:
  [[noreturn]] void refuse(std::string_view what) const {
    throw InputError(fmt::format("{}: the pattern \"{}\" has {} at byte {}, which is not supported",
                                 place_, printable(pattern_), printable(what), at_));
  }

  std::string_view rest() const { return pattern_.substr(at_); }
  bool next_is(std::string_view text) const { return rest().starts_with(text); }

  void copy(std::size_t bytes) {
    out_ += rest().substr(0, bytes);
    at_ += std::min(bytes, rest().size());
  }

  void take_one() {
    switch (pattern_[at_]) {
      case '\\':
        return take_escape(false);
      case '[':
        return take_set(0);
      case '(':
        return take_group();
      case '{':
        return take_interval();
      case '^':
      case '$':
        refuse("a line anchor");
      default:
        return copy(1);
    }
  }

  void take_group() {
    if (next_is("(*")) refuse("(*");
    if (!next_is("(?")) return copy(1);
    for (const auto group : kGroups) {
      if (next_is(group)) return copy(group.size());
    }
    refuse(rest().substr(0, 4));
  }

  // Only the plain forms: with a further + or ? the two syntaxes mean different things.
  void take_interval() {
    const std::size_t end = rest().find('}');
    const std::string_view inner =
        end == std::string_view::npos ? std::string_view() : rest().substr(1, end - 1);
    const bool plain = !inner.empty() && inner.front() != ',' &&
                       inner.find_first_not_of("0123456789,") == std::string_view::npos;
    if (!plain) refuse("a { that begins no {n}, {n,} or {n,m}");
    copy(end + 1);
    if (next_is("+") || next_is("?")) refuse("an interval with a further + or ?");
  }

  /// A set from its '[' on. Inside another set only its members are written.
  void take_set(std::size_t depth) {
    if (depth == kSetDepthMost) refuse("sets nested this deep");
    if (next_is("[:")) refuse("[:");
    ++at_;
    if (depth == 0) out_ += '[';
    if (next_is("^")) {
      if (depth > 0) refuse("a negated set within a set");
      copy(1);
    }
    if (next_is("]")) refuse("a set that begins with ]");
    for (bool first = true; !next_is("]"); first = false) {
      if (at_ >= pattern_.size()) refuse("a set without its ]");
      take_member(first, depth);
    }
    ++at_;
    if (depth == 0) out_ += ']';
  }

  void take_member(bool first, std::size_t depth) {
    if (next_is("&&")) refuse("&&");
    if (next_is("-[")) refuse("-[");
    if (next_is("[")) return take_set(depth + 1);
    if (next_is("\\")) return take_escape(true);
    if (next_is("-") && (first || next_is("-]"))) {
      // A hyphen at a set's edge is itself, and must stay so where the set becomes part of another.
      out_ += "\\-";
      ++at_;
      return;
    }
    copy(1);
  }

  void take_escape(bool in_set) {
    const char kind = at_ + 1 < pattern_.size() ? pattern_[at_ + 1] : '\0';
    switch (kind) {
      case 's':
      case 'S': {
        const std::string_view members = kind == 's' ? kWhiteSpace : kNoWhiteSpace;
        out_ += in_set ? std::string(members) : fmt::format("[{}]", members);
        at_ += 2;
        return;
      }
      case 'p':
      case 'P':
        return take_property();
      case 'u':
        return take_code_point();
      case 'd':
      case 'D':
      case 'n':
      case 'r':
      case 't':
        return copy(2);
      default:
        if (kind == '\0' || is_letter_or_digit(kind) || (kind & '\x80') != 0) {
          refuse(rest().substr(0, 2));
        }
        return copy(2);
    }
  }

  /// \p{…}. A name of one or two letters is a general category; PCRE2 would take a longer one for a
  /// script with its extensions, which Oniguruma has without.
  void take_property() {
    const std::size_t end = rest().find('}');
    if (!rest().substr(2).starts_with('{') || end == std::string_view::npos) {
      refuse("a property without its name in braces");
    }
    std::string_view name = rest().substr(3, end - 3);
    out_ += rest().substr(0, 3);
    if (name.starts_with('^')) {
      out_ += '^';
      name.remove_prefix(1);
    }
    if (name.size() > 2) out_ += "sc:";
    out_ += name;
    out_ += '}';
    at_ += end + 1;
  }

  /// \uHHHH, the form that JSON files tend to have.
  void take_code_point() {
    const std::string_view digits = rest().substr(2, 4);
    if (digits.size() != 4 ||
        digits.find_first_not_of("0123456789abcdefABCDEF") != std::string_view::npos) {
      refuse("a \\u without four hexadecimal digits");
    }
    out_ += fmt::format("\\x{{{}}}", digits);
    at_ += 6;
  }

  std::string_view pattern_;
  std::string_view place_;
  std::size_t at_ = 0;
  std::string out_;
};

}  // namespace

std::string pcre2_of_oniguruma(std::string_view pattern, std::string_view place) {
  return Translation(pattern, place).run();
}

}  // namespace tokenyard
