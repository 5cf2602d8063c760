#pragma once

#include <cstddef>
#include <memory>
#include <string>

namespace tokenyard {

/// The bytes of a file, decompressed where it is gzip (told by its first bytes or by the ending
/// .gz). Every failure is an `InputError` that names the file: missing, a directory, unreadable,
/// truncated or damaged gzip. Not safe to share between threads.
class InputStream {
 public:
  explicit InputStream(const std::string& path);
  ~InputStream();
  InputStream(InputStream&&) noexcept;
  InputStream& operator=(InputStream&&) noexcept;

  /// Reads up to `size` bytes into `to`; 0 means the end.
  std::size_t read(char* to, std::size_t size);

 private:
  struct Source;
  std::unique_ptr<Source> source_;
};

}  // namespace tokenyard
