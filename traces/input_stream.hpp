#pragma once

#include <cstddef>
#include <memory>
#include <string>

namespace tokenyard {

/// The bytes of a file, decompressed where it is gzip or zstd (told by its first bytes or by the
/// ending). Every failure is an `InputError` that names the file: missing, a directory, unreadable,
/// truncated or damaged when compressed. Not safe to share between threads.
class InputStream {
 public:
  explicit InputStream(const std::string& path);
  /// The same of bytes in memory; `name` stands for the file.
  InputStream(const std::string& name, std::string bytes);
  ~InputStream();
  InputStream(InputStream&&) noexcept;
  InputStream& operator=(InputStream&&) noexcept;

  /// Reads up to `size` bytes into `to`; 0 means the end. `line` is for messages: which one begins
  /// here or goes on.
  std::size_t read(char* to, std::size_t size, std::size_t line = 0);

 private:
  void open();

  struct Source;
  std::unique_ptr<Source> source_;
};

}  // namespace tokenyard
