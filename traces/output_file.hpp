#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace tokenyard {

/// How a file is compressed.
enum class Compression : std::uint8_t { none, gzip, zstd };

/// By the name's ending: .gz or .zst.
Compression compression_of(std::string_view path);

/// The path without that ending.
std::string_view without_compression(std::string_view path);

/// A file that is written piece by piece. Compressed where the name ends in .gz or .zst (with no
/// time stamp, so that the same content gives the same bytes). Failures are `InputError`s that name
/// the file. Not safe to share between threads.
class OutputFile {
 public:
  enum class Appears : std::uint8_t {
    whole,   ///< it is written beside its place and renamed by `commit`; without that it is removed
    at_once  ///< it is there from the beginning, and stays as far as it was written
  };

  explicit OutputFile(const std::string& path, Appears appears = Appears::whole);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  void write(std::string_view text);
  /// Hands what was written to the system, so that it outlives the program; not what a compressor
  /// still holds.
  void flush();
  void commit();

 private:
  struct Sink;
  std::unique_ptr<Sink> sink_;
};

}  // namespace tokenyard
