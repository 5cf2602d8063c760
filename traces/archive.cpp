// The form of tar archives is that of POSIX.1-2017, pax, "ustar Interchange Format": blocks of 512
// bytes, a header and then the content of each file, and at the end two blocks of zeros.

#include "traces/archive.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "sim/kernel/input_error.hpp"
#include "sim/kernel/text.hpp"
#include "traces/input_stream.hpp"

namespace tokenyard {

namespace {

constexpr std::size_t kBlock = 512;
constexpr std::uint64_t kMostContent = std::uint64_t{1} << 30;

class TarFile {
 public:
  explicit TarFile(const std::string& path) : path_(path), input_(path) {}

  /// The next regular file's name; nothing at the end.
  std::optional<std::string> next() {
    std::string long_name;  // told by an entry of its own before the file's
    for (;;) {
      skip_content();
      if (!read_block()) refuse("the archive is cut off");
      if (std::ranges::all_of(block_, [](char c) { return c == '\0'; })) return std::nullopt;
      check_header();
      left_ = octal(124, 12);
      padding_ = (kBlock - left_ % kBlock) % kBlock;
      const char type = block_[156];
      if (type == 'L') long_name = std::string(text_of(content()));
      if (type == 'x') long_name = pax_path(content());
      if (type == 'L' || type == 'x') continue;
      const std::string name = long_name.empty() ? header_name() : long_name;
      if (type == '0' || type == '\0') return name;
      long_name.clear();
    }
  }

  std::string content() {
    if (left_ > kMostContent) refuse("a file in it is larger than 1 GiB");
    std::string content(static_cast<std::size_t>(left_), '\0');
    if (read(content.data(), content.size()) != content.size()) refuse("the archive is cut off");
    left_ = 0;
    return content;
  }

 private:
  [[noreturn]] void refuse(std::string_view why) const {
    throw InputError(path_, 0, "", fmt::format("cannot be read as a tar archive: {}", why));
  }

  std::size_t read(char* to, std::size_t size) {
    std::size_t got = 0;
    while (got < size) {
      const std::size_t part = input_.read(to + got, size - got);
      if (part == 0) break;
      got += part;
    }
    return got;
  }

  bool read_block() { return read(block_.data(), kBlock) == kBlock; }

  void skip_content() {
    std::uint64_t rest = left_ + padding_;
    std::array<char, std::size_t{64} << 10> unused{};
    while (rest > 0) {
      const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(rest, unused.size()));
      if (read(unused.data(), part) != part) refuse("the archive is cut off");
      rest -= part;
    }
    left_ = padding_ = 0;
  }

  /// A text that ends where its field does, or at a NUL before.
  static std::string_view text_of(std::string_view field) {
    return field.substr(0, field.find('\0'));
  }
  std::string_view field(std::size_t at, std::size_t size) const {
    return text_of(std::string_view(block_.data() + at, size));
  }

  std::uint64_t octal(std::size_t at, std::size_t size) const {
    std::uint64_t value = 0;
    bool any = false;
    for (const char c : field(at, size)) {
      if (c == ' ') continue;
      if (c < '0' || c > '7') refuse("a number in a header is not octal");
      value = value * 8 + static_cast<std::uint64_t>(c - '0');
      any = true;
    }
    if (!any) refuse("a number in a header is missing");
    return value;
  }

  /// The header's bytes must add up to what it says, its checksum taken as blanks.
  void check_header() const {
    constexpr std::size_t kSum = 148, kSumSize = 8;
    std::uint64_t sum = kSumSize * ' ';
    for (std::size_t i = 0; i < kBlock; ++i) {
      if (i < kSum || i >= kSum + kSumSize) sum += static_cast<unsigned char>(block_[i]);
    }
    if (sum != octal(kSum, kSumSize)) refuse("a header does not add up");
  }

  std::string header_name() const {
    const std::string name(field(0, 100));
    // GNU's own headers have other things where POSIX has the name's beginning.
    const bool posix = std::string_view(block_.data() + 257, 6) == std::string_view("ustar\0", 6);
    const std::string_view prefix = posix ? field(345, 155) : std::string_view();
    return prefix.empty() ? name : fmt::format("{}/{}", prefix, name);
  }

  /// Of records "LENGTH key=value\n" the path, "" where there is none.
  std::string pax_path(std::string_view records) const {
    std::string path;
    while (!records.empty()) {
      const auto blank = records.find(' ');
      const auto size = parse_integer(records.substr(0, blank));
      if (blank == std::string_view::npos || !size ||
          *size <= static_cast<std::int64_t>(blank) + 1 ||
          *size > static_cast<std::int64_t>(records.size())) {
        refuse("a record of a header is damaged");
      }
      const auto end = static_cast<std::size_t>(*size);
      const std::string_view record = records.substr(blank + 1, end - blank - 2);
      if (record.starts_with("path=")) path = record.substr(5);
      records.remove_prefix(end);
    }
    return path;
  }

  const std::string& path_;
  InputStream input_;
  std::array<char, kBlock> block_{};
  std::uint64_t left_ = 0;     ///< of the file's content
  std::uint64_t padding_ = 0;  ///< behind it, to the end of the block
};

}  // namespace

void read_archive(const std::string& path,
                  const std::function<void(const std::string& name,
                                           const std::function<std::string()>& content)>& visit) {
  TarFile file(path);
  while (const auto name = file.next()) visit(*name, [&file] { return file.content(); });
}

}  // namespace tokenyard
