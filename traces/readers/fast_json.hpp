#pragma once
// The fast way through lines of JSON, by simdjson. It takes what it surely reads as the strict
// parser (sim/kernel/strict_json.hpp) does; all else, right or wrong, is left to that one, which
// also says what is wrong.

#include <simdjson.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

namespace tokenyard {

/// Parses line after line. Not safe to share between threads.
class FastJson {
 public:
  FastJson();

  /// False where the line is no object, is wrong or is read otherwise by the strict parser. As many
  /// bytes as `LineReader` promises must be readable behind it.
  bool parse(std::string_view line);

  /// What was parsed last. Texts in it live until the next call of `parse`.
  simdjson::dom::object object() const { return object_; }

 private:
  simdjson::dom::parser parser_;
  simdjson::dom::object object_;
};

/// Whether no object inside has a key twice; false too where that would take long to say.
bool has_plain_objects(simdjson::dom::element value);

/// An integer in [least, most]; nothing for anything else.
inline std::optional<std::int64_t> fast_integer(simdjson::dom::element value, std::int64_t least,
                                                std::int64_t most) {
  std::int64_t integer = 0;
  if (!value.is<std::int64_t>() || value.get(integer) != simdjson::SUCCESS) return std::nullopt;
  if (integer < least || integer > most) return std::nullopt;
  return integer;
}

/// Reads an array of integers in [least, most]; false for anything else.
bool fast_integers(simdjson::dom::element value, std::int64_t least, std::int64_t most,
                   std::vector<std::int64_t>& integers);

}  // namespace tokenyard
