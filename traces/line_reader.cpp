#include "traces/line_reader.hpp"

#include <algorithm>
#include <cstring>

#include "sim/kernel/input_error.hpp"

namespace tokenyard {

namespace {
constexpr std::size_t kFirstBuffer = std::size_t{256} << 10;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
}  // namespace

LineReader::LineReader(const std::string& path)
    : path_(path), input_(path), buffer_(kFirstBuffer) {}

void LineReader::refuse(std::string_view field, std::string_view message) const {
  throw InputError(path_, number_, field, message);
}

/// Reads more behind what is left; false at the end of the file.
bool LineReader::refill() {
  if (at_end_) return false;
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == buffer_.size()) buffer_.resize(buffer_.size() * 2);
  const std::size_t got = input_.read(buffer_.data() + end_, buffer_.size() - end_);
  end_ += got;
  at_end_ = got == 0;
  return !at_end_;
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
      refuse("", "the line is longer than 16 MiB");
    }
    if (!refill()) {
      length = searched;
      break;
    }
  }
  if (length == 0 && terminator == 0) return std::nullopt;
  std::string_view line(buffer_.data() + begin_, length);
  begin_ += length + terminator;
  line_ended_ = terminator > 0;
  ++number_;
  if (line.size() > kLongestLine) refuse("", "the line is longer than 16 MiB");
  if (number_ == 1 && line.starts_with(kByteOrderMark)) line.remove_prefix(kByteOrderMark.size());
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.find('\0') != std::string_view::npos) refuse("", "the line holds a NUL byte");
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
