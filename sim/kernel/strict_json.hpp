#pragma once
// Strict reading of JSON configuration and of single JSON lines: every error names file, line and
// field; unknown keys, duplicate keys, wrong types, fractions for integers and values out of range
// are refused. The JSON library itself stays in the .cpp file.

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tokenyard {

class JsonObject;
struct JsonDocument;
struct JsonValue;

/// A parsed file or text. Objects read from it stay valid as long as any of them lives.
class JsonFile {
 public:
  /// Reads and parses a file whose top level is an object. Throws `InputError`.
  static JsonObject read(const std::string& path);
  /// The same for a text; `name` stands for the file in messages, and its first line counts as
  /// `first_line` (so that one line of a JSON Lines file is reported where it stands).
  static JsonObject parse(std::string_view text, const std::string& name,
                          std::size_t first_line = 1);
};

/// One object of a parsed text. Reading a key marks it as known; `refuse_unread` then refuses the
/// rest by name, with the nearest known key. Copies share their marks, and so do objects read twice
/// from the same key; the marks make an object unfit for sharing between threads.
///
/// Messages read "cfg.json:3: /engine/blocks: expected an integer from 1 to 10, found "x"". Nothing
/// is converted silently: 1.7, 1.0 and true are no integers, "1" is no number, 1 is no flag.
class JsonObject {
 public:
  /// Whether the key is there. Makes its name known, but does not count as reading it.
  bool has(std::string_view key) const;
  /// Whether the key is there with another value than null, for formats that write out what is not
  /// set. Reads a null.
  bool has_value(std::string_view key) const;
  std::vector<std::string> keys() const;  ///< in the order of the file

  // Required values: a missing key is an error.
  std::string string(std::string_view key) const;
  std::string choice(std::string_view key, std::initializer_list<std::string_view> options) const;
  std::int64_t integer(std::string_view key, std::int64_t least, std::int64_t most) const;
  double number(std::string_view key, double least, double most) const;
  bool flag(std::string_view key) const;
  JsonObject object(std::string_view key) const;
  std::vector<std::string> strings(std::string_view key) const;
  std::vector<std::int64_t> integers(std::string_view key, std::int64_t least,
                                     std::int64_t most) const;
  std::vector<double> numbers(std::string_view key, double least, double most) const;
  std::vector<JsonObject> objects(std::string_view key) const;
  /// An array of arrays of strings; a bare string counts as an array of one.
  std::vector<std::vector<std::string>> string_lists(std::string_view key) const;

  // The same with a fallback for a missing key.
  std::string string_or(std::string_view key, std::string fallback) const;
  std::int64_t integer_or(std::string_view key, std::int64_t least, std::int64_t most,
                          std::int64_t fallback) const;
  double number_or(std::string_view key, double least, double most, double fallback) const;
  bool flag_or(std::string_view key, bool fallback) const;

  /// All members of this object, whose values must be integers, in the order of the file. Unlike
  /// reading them one by one this takes time linear in their number. Counts as reading them.
  std::vector<std::pair<std::string, std::int64_t>> integer_members(std::int64_t least,
                                                                    std::int64_t most) const;

  /// The value as an option's text would have it: a string as it is, a number or flag as written.
  /// Objects, arrays and null are refused.
  std::string scalar_text(std::string_view key) const;

  /// The compact JSON text of a value of any type (and of the whole object).
  std::string raw(std::string_view key) const;
  std::string raw() const;

  /// Refuses every key of this object (not of those inside it) that was never read.
  void refuse_unread() const;

  /// Throws an `InputError` at this key's place.
  [[noreturn]] void refuse(std::string_view key, std::string_view message) const;

 private:
  friend class JsonFile;
  JsonObject(std::shared_ptr<const JsonDocument> document, const JsonValue& value,
             std::string path);

  const JsonValue* find(std::string_view key) const;
  const JsonValue& require(std::string_view key, std::string_view expected) const;
  [[noreturn]] void refuse_value(const JsonValue& value, std::string_view key,
                                 std::string_view expected) const;
  std::string path_to(std::string_view key) const;
  JsonObject child(const JsonValue& value, std::string_view key) const;

  std::shared_ptr<const JsonDocument> document_;
  const JsonValue* value_;  ///< inside the document's tree
  std::string path_;        ///< JSON pointer (RFC 6901) of this object
};

}  // namespace tokenyard
