#include "traces/json_pieces.hpp"

#include <fmt/format.h>

#include "sim/kernel/input_error.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

namespace {

constexpr std::size_t kDeepest = 64;

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/// Finds the end of a value, character by character.
class ValueEnd {
 public:
  enum class Step : std::uint8_t { inside, last, behind, bad };

  /// What the next character is: inside the value, its last, the first behind it, or wrong.
  Step step(char c) {
    if (in_string_) return in_string(c);
    if (c == '"') {
      if (scalar_) return Step::behind;
      in_string_ = true;
      return Step::inside;
    }
    if (c == '[' || c == '{') return open(c == '[');
    if (c == ']' || c == '}') return close(c == ']');
    if (depth_ > 0) return Step::inside;
    if (c == ',' || c == ':' || is_blank(c)) return scalar_ ? Step::behind : Step::bad;
    scalar_ = true;
    return Step::inside;
  }

  /// Whether a text may end here.
  bool may_end() const { return scalar_; }
  const char* fault() const { return fault_; }

 private:
  Step in_string(char c) {
    if (static_cast<unsigned char>(c) < 0x20) {
      fault_ = "a control character in a string";
      return Step::bad;
    }
    if (escaped_) {
      escaped_ = false;
    } else if (c == '\\') {
      escaped_ = true;
    } else if (c == '"') {
      in_string_ = false;
      if (depth_ == 0) return Step::last;
    }
    return Step::inside;
  }

  Step open(bool array) {
    if (scalar_) return Step::behind;
    if (depth_ == kDeepest) {
      fault_ = "nested deeper than 64 levels";
      return Step::bad;
    }
    arrays_ = arrays_ << 1U | (array ? 1U : 0U);
    ++depth_;
    return Step::inside;
  }

  Step close(bool array) {
    if (depth_ == 0) return scalar_ ? Step::behind : Step::bad;
    if (((arrays_ & 1U) != 0) != array) {
      fault_ = "a bracket that closes another one than was opened";
      return Step::bad;
    }
    arrays_ >>= 1U;
    return --depth_ == 0 ? Step::last : Step::inside;
  }

  std::uint64_t arrays_ = 0;  ///< of what is open a bit each, the innermost first
  std::size_t depth_ = 0;
  bool in_string_ = false, escaped_ = false;
  bool scalar_ = false;  ///< a number, true, false or null has begun
  const char* fault_ = "expected a value";
};

}  // namespace

void JsonPieces::refuse(std::string_view message) const {
  lines_.refuse("", fmt::format("not valid JSON at column {}: {}", lines_.column(), message));
}

char JsonPieces::peek() {
  for (;;) {
    const std::string_view window = lines_.window();
    std::size_t blanks = 0;
    while (blanks < window.size() && is_blank(window[blanks])) ++blanks;
    lines_.take(blanks);
    if (blanks < window.size()) {
      if (window[blanks] == '\0') refuse("a NUL byte");
      return window[blanks];
    }
    if (!lines_.more()) return '\0';
  }
}

bool JsonPieces::take(char wanted) {
  if (peek() != wanted) return false;
  lines_.take(1);
  return true;
}

void JsonPieces::expect(char wanted) {
  if (take(wanted)) return;
  refuse(peek() == '\0' ? fmt::format("the text ends, expected '{}'", wanted)
                        : fmt::format("expected '{}', found '{}'", wanted,
                                      printable(lines_.window().substr(0, 1))));
}

void JsonPieces::expect_end() {
  if (peek() != '\0') refuse("expected the end of the text");
}

std::string JsonPieces::key() {
  if (peek() != '"') refuse("expected a key");
  const std::string object = fmt::format("{{\"key\":{}}}", value());
  std::string key;
  try {
    key = JsonFile::parse(object, lines_.path(), line_).string("key");
  } catch (const InputError&) {
    lines_.refuse("", fmt::format("not valid JSON at column {}: a bad string", column_));
  }
  expect(':');
  return key;
}

/// Goes to the end of the value that begins the window. With `keep` all of it stays in the window
/// and its size is returned, else it is taken.
std::size_t JsonPieces::scan(bool keep) {
  ValueEnd end;
  std::size_t at = 0;
  for (;;) {
    const std::string_view window = lines_.window();
    for (; at < window.size(); ++at) {
      const auto step = end.step(window[at]);
      if (step == ValueEnd::Step::inside) continue;
      if (step == ValueEnd::Step::bad) {
        lines_.take(at);
        refuse(end.fault());
      }
      if (step == ValueEnd::Step::last) ++at;
      if (!keep) lines_.take(at);
      return at;
    }
    if (!keep) {
      lines_.take(at);
      at = 0;
    } else if (at > kLongestLine) {
      lines_.take(kLongestLine);
      refuse(fmt::format("the value that begins on line {} at column {} is longer than 16 MiB",
                         line_, column_));
    }
    if (lines_.more()) continue;
    if (end.may_end()) return at;
    lines_.take(at);
    refuse("the text ends within a value");
  }
}

std::string_view JsonPieces::value() {
  peek();
  line_ = lines_.number();
  column_ = lines_.column();
  const std::size_t size = scan(true);
  const char* const begin = lines_.window().data();
  lines_.take(size);  // it stays where it is until more is read
  return {begin, size};
}

void JsonPieces::object(const std::function<void(const JsonObject&)>& read) {
  const std::string_view text = value();
  try {
    read(JsonFile::parse(text, lines_.path(), line_));
  } catch (const InputError& error) {
    throw InputError(
        fmt::format("{} (in what begins on line {} at column {})", error.what(), line_, column_));
  }
}

void JsonPieces::skip() {
  peek();
  line_ = lines_.number();
  column_ = lines_.column();
  scan(false);
}

}  // namespace tokenyard
