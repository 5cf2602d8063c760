#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "traces/input_stream.hpp"

namespace tokenyard {

/// The longest line that is read; a longer one is an error, so that memory stays bounded.
inline constexpr std::size_t kLongestLine = std::size_t{16} << 20;

/// A text file line by line, with line numbers for messages. Line ends are LF or CRLF, the last one
/// may lack it; a UTF-8 byte order mark at the start and blank lines are skipped. A NUL byte, a
/// line over `kLongestLine` and everything `InputStream` refuses are `InputError`s. Not safe to
/// share between threads.
class LineReader {
 public:
  explicit LineReader(const std::string& path);

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

  /// Throws an `InputError` at the line returned last.
  [[noreturn]] void refuse(std::string_view field, std::string_view message) const;

 private:
  std::optional<std::string_view> raw_line();
  bool refill();

  std::string path_;
  InputStream input_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;  // of what was not returned yet
  std::size_t end_ = 0;    // of what was read
  bool at_end_ = false;
  std::size_t number_ = 0;
  bool line_ended_ = true;
  std::optional<std::string_view> peeked_;
  bool has_peeked_ = false;
};

}  // namespace tokenyard
