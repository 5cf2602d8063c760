#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace tokenyard {

/// A whole file mapped for reading: its pages come from the disk when they are first read, and
/// processes share them. The size is taken once, at the opening; reading what another process cuts
/// off later ends the program, so do not shorten a checkpoint while it is served. Read-only, so
/// safe to share between threads.
class MappedFile {
 public:
  /// Throws `InputError` for what is not there, cannot be read or is no regular file.
  static std::shared_ptr<const MappedFile> open(const std::string& path);

  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  const std::string& path() const { return path_; }
  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  MappedFile(std::string path, std::span<const std::byte> bytes);

  std::string path_;
  std::span<const std::byte> bytes_;
};

}  // namespace tokenyard
