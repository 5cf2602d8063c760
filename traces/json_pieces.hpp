#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "sim/kernel/strict_json.hpp"
#include "traces/line_reader.hpp"

namespace tokenyard {

/// A large JSON text piece by piece, in bounded memory: the caller goes through the outer arrays
/// and objects, takes the values that it wants and passes over the others. Faults are `InputError`s
/// with line and column. Refers to `lines`, which must outlive it.
class JsonPieces {
 public:
  /// Begins at the text's first character.
  explicit JsonPieces(LineReader& lines) : lines_(lines) { lines_.take(0); }

  /// The next character that is no blank, which stays; 0 at the end of the text.
  char peek();
  /// Takes the next character if it is this one.
  bool take(char wanted);
  /// Takes the next character, which must be this one.
  void expect(char wanted);
  /// Refuses a text that goes on.
  void expect_end();

  /// Takes a key and its colon.
  std::string key();
  /// Takes a value of at most `kLongestLine` bytes; what it is was not checked yet. Valid until the
  /// next call.
  std::string_view value();
  /// Takes an object, parses it strictly and hands it over. What is refused there is told with the
  /// column at which the object begins.
  void object(const std::function<void(const JsonObject&)>& read);
  /// Passes over a value of any size; of what is inside only strings and brackets are checked.
  void skip();

  /// Where the value taken last begins.
  std::size_t line() const { return line_; }
  std::size_t column() const { return column_; }

  /// Throws an `InputError` at what comes next.
  [[noreturn]] void refuse(std::string_view message) const;

 private:
  std::size_t scan(bool keep);

  LineReader& lines_;
  std::size_t line_ = 1;
  std::size_t column_ = 1;
};

}  // namespace tokenyard
