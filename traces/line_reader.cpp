#include "traces/line_reader.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "sim/kernel/input_error.hpp"

namespace tokenyard {

namespace {
constexpr std::size_t kFirstBuffer = std::size_t{256} << 10;
constexpr std::string_view kTooLong = "the line is longer than 16 MiB (at column 16777217)";
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
static_assert(LineReader::kPadding >= simdjson::SIMDJSON_PADDING);

bool is_utf8(std::string_view text) {
  return simdjson::validate_utf8(text.data(), text.size());
}

/// Where a text that is not UTF-8 goes wrong.
std::size_t first_fault(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    std::size_t size = 1;  // of this character: as long as the next bytes go on with it
    while (size < 4 && at + size < text.size() &&
           (static_cast<unsigned char>(text[at + size]) & 0xc0) == 0x80) {
      ++size;
    }
    if (!is_utf8(text.substr(at, size))) return at;
    at += size;
  }
  return at;
}
}  // namespace

LineReader::LineReader(const std::string& path)
    : path_(path), input_(path), buffer_(kFirstBuffer + kPadding) {}

LineReader::LineReader(const std::string& name, std::string text)
    : path_(name),
      input_(name, std::move(text)),
      buffer_(kFirstBuffer / 64 + kPadding) {}  // many small texts are read, few large ones

void LineReader::refuse(std::string_view field, std::string_view message) const {
  throw InputError(path_, number_, field, message);
}

bool LineReader::more() {
  if (at_end_) return false;
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ + kPadding == buffer_.size()) buffer_.resize(end_ * 2 + kPadding);
  const std::size_t room = buffer_.size() - kPadding - end_;
  const std::size_t got = input_.read(buffer_.data() + end_, room, number_ + 1);
  end_ += got;
  at_end_ = got == 0;
  return !at_end_;
}

std::string_view LineReader::beginning() {
  while (end_ < kByteOrderMark.size() && more()) {
  }
  if (window().starts_with(kByteOrderMark)) {
    begin_ += kByteOrderMark.size();
    taken_ += kByteOrderMark.size();
  }
  return window();
}

void LineReader::take(std::size_t bytes) {
  if (number_ == 0) number_ = 1;
  const std::string_view text = window().substr(0, bytes);
  number_ += static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  const auto newline = text.rfind('\n');
  column_ = newline == std::string_view::npos ? column_ + bytes : bytes - newline;
  begin_ += bytes;
  taken_ += bytes;
}

void LineReader::check_bytes(std::string_view line) const {
  if (const auto at = line.find('\0'); at != std::string_view::npos) {
    refuse("", fmt::format("a NUL byte at column {}", at + 1));
  }
  if (!is_utf8(line)) {
    refuse("", fmt::format("bytes that are not UTF-8 at column {}", first_fault(line) + 1));
  }
}

std::optional<std::string_view> LineReader::raw_line() {
  std::size_t searched = 0;  // how far behind begin_ there is surely no line end
  std::size_t length = 0;
  std::size_t terminator = 0;
  for (;;) {
    const char* from = buffer_.data() + begin_;
    const auto* found =
        static_cast<const char*>(std::memchr(from + searched, '\n', end_ - begin_ - searched));
    if (found != nullptr) {
      length = static_cast<std::size_t>(found - from);
      terminator = 1;
      break;
    }
    searched = end_ - begin_;
    if (searched > kLongestLine) {
      ++number_;
      refuse("", kTooLong);
    }
    if (!more()) {
      length = searched;
      break;
    }
  }
  if (length == 0 && terminator == 0) return std::nullopt;
  std::string_view line(buffer_.data() + begin_, length);
  begin_ += length + terminator;
  taken_ += length + terminator;
  line_ended_ = terminator > 0;
  ++number_;
  if (line.size() > kLongestLine) refuse("", kTooLong);
  if (number_ == 1 && line.starts_with(kByteOrderMark)) line.remove_prefix(kByteOrderMark.size());
  if (line.ends_with('\r')) line.remove_suffix(1);
  check_bytes(line);
  return line;
}

std::optional<std::string_view> LineReader::next() {
  if (has_peeked_) {
    has_peeked_ = false;
    return peeked_;
  }
  for (;;) {
    const auto line = raw_line();
    if (!line || line->find_first_not_of(" \t") != std::string_view::npos) return line;
  }
}

std::optional<std::string_view> LineReader::peek() {
  if (!has_peeked_) {
    peeked_ = next();
    has_peeked_ = true;
  }
  return peeked_;
}

}  // namespace tokenyard
