#include "experiments/record/text_buffer.hpp"

#include <fmt/format.h>

#include "sim/kernel/input_error.hpp"

namespace tokenyard {

namespace {
constexpr std::size_t kPiece = std::size_t{1} << 18;
}

TextBuffer::TextBuffer(std::ostream& out, std::string name) : out_(out), name_(std::move(name)) {
  constexpr std::size_t kRoomForLine = 4096;
  buffer_.reserve(kPiece + kRoomForLine);
}

TextBuffer::~TextBuffer() {
  try {
    flush();
  } catch (const std::exception&) {
    // Reported to those who call `flush` themselves; a destructor has nobody to tell.
  }
}

TextBuffer& TextBuffer::integer(std::int64_t value) {
  const fmt::format_int digits(value);
  buffer_.append(digits.data(), digits.size());
  return *this;
}

TextBuffer& TextBuffer::seconds(Duration duration) {
  fixed(duration.count(), 1'000'000'000, 9);
  return *this;
}

TextBuffer& TextBuffer::microseconds(Duration duration) {
  fixed(duration.count(), 1'000, 3);
  return *this;
}

void TextBuffer::fixed(std::int64_t value, std::int64_t unit, int decimals) {
  auto magnitude = static_cast<std::uint64_t>(value);
  if (value < 0) {
    buffer_ += '-';
    magnitude = 0 - magnitude;
  }
  const auto divisor = static_cast<std::uint64_t>(unit);
  const fmt::format_int whole(magnitude / divisor);
  buffer_.append(whole.data(), whole.size());
  buffer_ += '.';
  const fmt::format_int fraction(magnitude % divisor);
  buffer_.append(static_cast<std::size_t>(decimals) - fraction.size(), '0');
  buffer_.append(fraction.data(), fraction.size());
}

void TextBuffer::end_line() {
  buffer_ += '\n';
  if (buffer_.size() >= kPiece) flush();
}

void TextBuffer::flush() {
  out_.write(buffer_.data(), static_cast<std::streamsize>(buffer_.size()));
  buffer_.clear();
  out_.flush();
  if (!out_) throw InputError(name_, 0, "", "cannot write (is the disk full?)");
}

}  // namespace tokenyard
