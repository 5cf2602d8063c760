#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "sim/kernel/time.hpp"

namespace tokenyard {

/// Fast text output: appends to memory and hands large pieces to a stream, which the caller owns
/// and keeps alive. Not safe to share between threads. What is not flushed when it is destroyed
/// is flushed then, but only `flush` reports a failure.
class TextBuffer {
 public:
  /// `name` stands for the file in messages.
  TextBuffer(std::ostream& out, std::string name);
  ~TextBuffer();
  TextBuffer(const TextBuffer&) = delete;
  TextBuffer& operator=(const TextBuffer&) = delete;

  TextBuffer& text(std::string_view text) {
    std::memcpy(room(text.size()), text.data(), text.size());
    used_ += text.size();
    return *this;
  }
  TextBuffer& integer(std::int64_t value);
  /// Seconds with nine decimals, as `format_seconds`.
  TextBuffer& seconds(Duration duration);
  /// Microseconds with three decimals: exact, and never with an exponent.
  TextBuffer& microseconds(Duration duration);
  /// Ends a line (a good place to hand a piece on).
  void end_line();

  /// Hands everything to the stream. Throws `InputError` when the stream fails.
  void flush();

 private:
  /// Where the next `size` bytes may be written.
  char* room(std::size_t size) {
    if (buffer_.size() - used_ < size) grow(size);
    return buffer_.data() + used_;
  }
  void grow(std::size_t size);
  template <std::uint64_t unit, int decimals>
  void fixed(std::int64_t value);

  std::ostream& out_;
  std::string name_;
  std::vector<char> buffer_;
  std::size_t used_ = 0;
};

}  // namespace tokenyard
