#include "traces/input_stream.hpp"

#include <boost/iostreams/filter/gzip.hpp>
#include <boost/iostreams/filtering_streambuf.hpp>
#include <cerrno>
#include <cstring>
#include <exception>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>
#include <utility>

#include "sim/kernel/input_error.hpp"
#include "traces/output_file.hpp"
#include "traces/zstd_input.hpp"

namespace tokenyard {

namespace io = boost::iostreams;

struct InputStream::Source {
  std::string path;
  std::unique_ptr<std::istream> bytes;
  io::filtering_streambuf<io::input> unpacked;  ///< of gzip
  std::unique_ptr<ZstdInput> zstd;
  Compression compression = Compression::none;
};

InputStream::InputStream(const std::string& path) : source_(std::make_unique<Source>()) {
  source_->path = path;
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    throw InputError(path, 0, "", "is a directory, not a file");
  }
  errno = 0;
  source_->bytes = std::make_unique<std::ifstream>(path, std::ios::binary);
  if (!*source_->bytes) {
    throw InputError(path, 0, "", std::string("cannot be read: ") + std::strerror(errno));
  }
  open();
}

InputStream::InputStream(const std::string& name, std::string bytes)
    : source_(std::make_unique<Source>()) {
  source_->path = name;
  source_->bytes = std::make_unique<std::istringstream>(std::move(bytes));
  open();
}

void InputStream::open() {
  // One byte tells, and it need not be put back, so that a pipe can be read too: no trace starts
  // with gzip's 0x1f or zstd's 0x28.
  const int first = source_->bytes->peek();
  const bool empty = first == std::ifstream::traits_type::eof();
  source_->compression = first == 0x1f   ? Compression::gzip
                         : first == 0x28 ? Compression::zstd
                         : empty         ? Compression::none
                                         : compression_of(source_->path);
  source_->bytes->clear();
  if (source_->compression == Compression::gzip) {
    source_->unpacked.push(io::gzip_decompressor());
    source_->unpacked.push(*source_->bytes);
  }
  if (source_->compression == Compression::zstd) {
    source_->zstd = std::make_unique<ZstdInput>(*source_->bytes);
  }
}

InputStream::~InputStream() = default;
InputStream::InputStream(InputStream&&) noexcept = default;
InputStream& InputStream::operator=(InputStream&&) noexcept = default;

std::size_t InputStream::read(char* to, std::size_t size, std::size_t line) {
  if (source_->compression == Compression::none) {
    source_->bytes->read(to, static_cast<std::streamsize>(size));
    if (source_->bytes->bad()) throw InputError(source_->path, line, "", "reading failed");
    return static_cast<std::size_t>(source_->bytes->gcount());
  }
  try {
    if (source_->zstd) return source_->zstd->read(to, size);
    const std::streamsize got = source_->unpacked.sgetn(to, static_cast<std::streamsize>(size));
    return got > 0 ? static_cast<std::size_t>(got) : 0;
  } catch (const std::exception&) {
    throw InputError(source_->path, line, "", "the compressed data is truncated or damaged");
  }
}

}  // namespace tokenyard
