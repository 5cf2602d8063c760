#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "traces/input_stream.hpp"

namespace tokenyard {

/// The longest line that is read; a longer one is an error, so that memory stays bounded.
inline constexpr std::size_t kLongestLine = std::size_t{16} << 20;

/// A text file line by line, with line numbers for messages. Line ends are LF or CRLF, the last one
/// may lack it; a UTF-8 byte order mark at the start and blank lines are skipped. A NUL byte, bytes
/// that are not UTF-8, a line over `kLongestLine` and everything `InputStream` refuses are
/// `InputError`s. Not safe to share between threads.
class LineReader {
 public:
  /// At least so many bytes behind a line or window may be read; what they are is not said.
  static constexpr std::size_t kPadding = 64;

  explicit LineReader(const std::string& path);
  /// Of a text in memory. `name` stands for the file in messages.
  LineReader(const std::string& name, std::string text);

  /// The next line that is not blank, without its end, or nothing at the end of the file. Valid
  /// until the next call.
  std::optional<std::string_view> next();

  /// The line that `next` will return; it stays.
  std::optional<std::string_view> peek();

  /// Whether the line returned last had its end, which the last line of a file may lack.
  bool line_ended() const { return line_ended_; }
  /// 1-based number of the line returned last.
  std::size_t number() const { return number_; }
  const std::string& path() const { return path_; }

  /// How many bytes of the text are behind the reader.
  std::uint64_t taken() const { return taken_; }

  // A file that is not made of lines is read through a window on what comes next.

  /// Before any line or window: as much of the text as was read at once, perhaps not all, from its
  /// first character on. It stays.
  std::string_view beginning();
  /// What was read and not yet taken. Valid until `more`.
  std::string_view window() const { return {buffer_.data() + begin_, end_ - begin_}; }
  /// Reads more behind the window; false at the end of the file.
  bool more();
  /// Takes the first bytes of the window, or none. `number` and `column` are then of what follows.
  void take(std::size_t bytes);
  /// 1-based, in bytes; only for windows.
  std::size_t column() const { return column_; }

  /// Throws an `InputError` at the line returned last.
  [[noreturn]] void refuse(std::string_view field, std::string_view message) const;

 private:
  std::optional<std::string_view> raw_line();
  void check_bytes(std::string_view line) const;

  std::string path_;
  InputStream input_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;  // of what was not returned yet
  std::size_t end_ = 0;    // of what was read
  bool at_end_ = false;
  std::size_t number_ = 0;
  std::size_t column_ = 1;
  std::uint64_t taken_ = 0;
  bool line_ended_ = true;
  std::optional<std::string_view> peeked_;
  bool has_peeked_ = false;
};

}  // namespace tokenyard
