#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace tokenyard {

/// A file that appears whole or not at all: it is written beside its place and renamed by `commit`;
/// without that it is removed again. Compressed where the name ends in .gz (with no time stamp, so
/// that the same content gives the same bytes). Failures are `InputError`s that name the file.
/// Not safe to share between threads.
class OutputFile {
 public:
  explicit OutputFile(const std::string& path);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  void write(std::string_view text);
  void commit();

 private:
  struct Sink;
  std::unique_ptr<Sink> sink_;
};

}  // namespace tokenyard
