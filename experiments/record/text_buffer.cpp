#include "experiments/record/text_buffer.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "sim/kernel/input_error.hpp"

namespace tokenyard {

namespace {

constexpr std::size_t kPiece = std::size_t{1} << 18;
constexpr std::size_t kLongestNumber = 32;  // a sign, twenty digits, a point

/// "00", "01", … "99", one after another.
constexpr std::array<char, 200> kPairs = [] {
  std::array<char, 200> pairs{};
  for (std::size_t i = 0; i < 100; ++i) {
    pairs[2 * i] = static_cast<char>('0' + i / 10);
    pairs[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return pairs;
}();

/// Writes exactly `digits` digits, so that they end before `end`.
template <int digits>
void write_digits(char* end, std::uint64_t value) {
  for (int left = digits; left >= 2; left -= 2) {
    end -= 2;
    std::memcpy(end, &kPairs[2 * (value % 100)], 2);
    value /= 100;
  }
  if constexpr (digits % 2 != 0) *--end = static_cast<char>('0' + value % 10);
}

}  // namespace

TextBuffer::TextBuffer(std::ostream& out, std::string name) : out_(out), name_(std::move(name)) {
  constexpr std::size_t kRoomForLine = 4096;
  buffer_.resize(kPiece + kRoomForLine);
}

TextBuffer::~TextBuffer() {
  try {
    flush();
  } catch (const std::exception&) {
    // Reported to those who call `flush` themselves; a destructor has nobody to tell.
  }
}

void TextBuffer::grow(std::size_t size) {
  buffer_.resize(std::max(2 * buffer_.size(), used_ + size));
}

TextBuffer& TextBuffer::integer(std::int64_t value) {
  char* const at = room(kLongestNumber);
  used_ += static_cast<std::size_t>(std::to_chars(at, at + kLongestNumber, value).ptr - at);
  return *this;
}

TextBuffer& TextBuffer::seconds(Duration duration) {
  fixed<1'000'000'000, 9>(duration.count());
  return *this;
}

TextBuffer& TextBuffer::microseconds(Duration duration) {
  fixed<1'000, 3>(duration.count());
  return *this;
}

template <std::uint64_t unit, int decimals>
void TextBuffer::fixed(std::int64_t value) {
  char* const begin = room(kLongestNumber);
  char* at = begin;
  auto magnitude = static_cast<std::uint64_t>(value);
  if (value < 0) {
    *at++ = '-';
    magnitude = 0 - magnitude;
  }
  at = std::to_chars(at, begin + kLongestNumber, magnitude / unit).ptr;
  *at++ = '.';
  at += decimals;
  write_digits<decimals>(at, magnitude % unit);
  used_ += static_cast<std::size_t>(at - begin);
}

void TextBuffer::end_line() {
  *room(1) = '\n';
  ++used_;
  if (used_ >= kPiece) flush();
}

void TextBuffer::flush() {
  out_.write(buffer_.data(), static_cast<std::streamsize>(used_));
  used_ = 0;
  out_.flush();
  if (!out_) throw InputError(name_, 0, "", "cannot write (is the disk full?)");
}

}  // namespace tokenyard
