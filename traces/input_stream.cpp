#include "traces/input_stream.hpp"

#include <boost/iostreams/filter/gzip.hpp>
#include <boost/iostreams/filter/zstd.hpp>
#include <boost/iostreams/filtering_streambuf.hpp>
#include <cerrno>
#include <cstring>
#include <exception>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "sim/kernel/input_error.hpp"
#include "traces/output_file.hpp"

namespace tokenyard {

namespace io = boost::iostreams;

struct InputStream::Source {
  std::string path;
  std::ifstream file;
  io::filtering_streambuf<io::input> unpacked;
  Compression compression = Compression::none;
};

InputStream::InputStream(const std::string& path) : source_(std::make_unique<Source>()) {
  source_->path = path;
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    throw InputError(path, 0, "", "is a directory, not a file");
  }
  errno = 0;
  source_->file.open(path, std::ios::binary);
  if (!source_->file) {
    throw InputError(path, 0, "", std::string("cannot be read: ") + std::strerror(errno));
  }
  // One byte tells, and it need not be put back, so that a pipe can be read too: no trace starts
  // with gzip's 0x1f or zstd's 0x28.
  const int first = source_->file.peek();
  const bool empty = first == std::ifstream::traits_type::eof();
  source_->compression = first == 0x1f   ? Compression::gzip
                         : first == 0x28 ? Compression::zstd
                         : empty         ? Compression::none
                                         : compression_of(path);
  source_->file.clear();
  if (source_->compression == Compression::none) return;
  if (source_->compression == Compression::gzip) source_->unpacked.push(io::gzip_decompressor());
  if (source_->compression == Compression::zstd) source_->unpacked.push(io::zstd_decompressor());
  source_->unpacked.push(source_->file);
}

InputStream::~InputStream() = default;
InputStream::InputStream(InputStream&&) noexcept = default;
InputStream& InputStream::operator=(InputStream&&) noexcept = default;

std::size_t InputStream::read(char* to, std::size_t size) {
  if (source_->compression == Compression::none) {
    source_->file.read(to, static_cast<std::streamsize>(size));
    if (source_->file.bad()) throw InputError(source_->path, 0, "", "reading failed");
    return static_cast<std::size_t>(source_->file.gcount());
  }
  try {
    const std::streamsize got = source_->unpacked.sgetn(to, static_cast<std::streamsize>(size));
    return got > 0 ? static_cast<std::size_t>(got) : 0;
  } catch (const std::exception&) {
    throw InputError(source_->path, 0, "", "the compressed data is truncated or damaged");
  }
}

}  // namespace tokenyard
