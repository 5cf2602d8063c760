#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tokenyard {

/// A file in the system's folder for temporary files (TMPDIR) that has no name, so that it is gone
/// with the object or the process, however that ends. Failures are `InputError`s that name the
/// folder. Reading is safe from several threads, once nobody writes.
class TemporaryFile {
 public:
  TemporaryFile();
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  void append(std::string_view bytes);

  /// Reads `size` bytes at `offset`, all of which were written.
  void read(std::uint64_t offset, char* to, std::size_t size) const;

  /// How many bytes were written.
  std::uint64_t size() const { return size_; }

 private:
  int file_;
  std::uint64_t size_ = 0;
};

}  // namespace tokenyard
