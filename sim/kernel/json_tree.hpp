#pragma once
// The parsed form behind strict_json: every value remembers its line, numbers how they were
// written. For what walks through a large object in order, where looking each key up would take
// time with the square of their number; readers of configuration use JsonObject.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tokenyard {

struct JsonMember;

/// One JSON value. A value type; the marks in an object change while it is read, so a tree is not
/// safe to share between threads.
struct JsonValue {
  enum class Kind : std::uint8_t { null, flag, integer, number, string, array, object };

  Kind kind = Kind::null;
  bool flag = false;
  std::uint32_t line = 0;
  std::int64_t integer = 0;                ///< for Kind::integer
  double number = 0;                       ///< for Kind::integer and Kind::number
  std::string text;                        ///< a string's value; a number as it was written
  std::vector<JsonValue> elements;         ///< of an array
  std::vector<JsonMember> members;         ///< of an object, in the order of the text
  mutable std::vector<std::string> asked;  ///< keys that a reader asked for and did not find
};

struct JsonMember {
  std::string key;
  JsonValue value;
  std::uint32_t line = 0;
  mutable bool read = false;
};

/// Nesting beyond this is refused.
inline constexpr std::size_t kJsonDepthMost = 64;

/// Parses one JSON text. Throws `InputError` (with `name` and the line, counted from `first_line`)
/// for a syntax error, a duplicate key and too deep nesting.
JsonValue parse_json_tree(std::string_view text, const std::string& name, std::size_t first_line);

/// The compact JSON text of a value; numbers as they were written.
std::string json_text(const JsonValue& value);

}  // namespace tokenyard
