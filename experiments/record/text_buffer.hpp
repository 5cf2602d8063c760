#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>

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
    buffer_ += text;
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
  void fixed(std::int64_t value, std::int64_t unit, int decimals);

  std::ostream& out_;
  std::string name_;
  std::string buffer_;
};

}  // namespace tokenyard
