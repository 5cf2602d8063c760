#include "traces/output_file.hpp"

#include <boost/iostreams/categories.hpp>
#include <boost/iostreams/filter/gzip.hpp>
#include <boost/iostreams/filter/zstd.hpp>
#include <boost/iostreams/filtering_streambuf.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <ios>
#include <system_error>

#include "sim/kernel/input_error.hpp"

namespace tokenyard {

namespace io = boost::iostreams;

namespace {

constexpr const char* kFailed = "writing failed (is the disk full?)";

/// The end of the compressor's chain. A stream buffer that fails would be tried again for ever.
class FileSink {
 public:
  using char_type = char;
  using category = io::sink_tag;

  explicit FileSink(std::ofstream& file) : file_(&file) {}

  std::streamsize write(const char* text, std::streamsize size) {
    if (!file_->write(text, size)) throw std::ios_base::failure("short write");
    return size;
  }

 private:
  std::ofstream* file_;
};

}  // namespace

Compression compression_of(std::string_view path) {
  if (path.ends_with(".gz")) return Compression::gzip;
  if (path.ends_with(".zst")) return Compression::zstd;
  return Compression::none;
}

std::string_view without_compression(std::string_view path) {
  return compression_of(path) == Compression::none ? path : path.substr(0, path.rfind('.'));
}

struct OutputFile::Sink {
  std::string path;
  std::string written_to;  ///< the path, or a place beside it
  std::ofstream file;
  io::filtering_streambuf<io::output> packed;
  bool compressed = false;
  bool stays = false;  ///< whatever becomes of this object
};

OutputFile::OutputFile(const std::string& path, Appears appears) : sink_(std::make_unique<Sink>()) {
  sink_->path = path;
  sink_->stays = appears == Appears::at_once;
  sink_->written_to = sink_->stays ? path : path + ".part";
  const Compression compression = compression_of(path);
  sink_->compressed = compression != Compression::none;
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    throw InputError(path, 0, "", "is a directory, not a file");
  }
  errno = 0;
  sink_->file.open(sink_->written_to, std::ios::binary | std::ios::trunc);
  if (!sink_->file) {
    throw InputError(path, 0, "", std::string("cannot be written: ") + std::strerror(errno));
  }
  if (compression == Compression::gzip) sink_->packed.push(io::gzip_compressor());
  if (compression == Compression::zstd) sink_->packed.push(io::zstd_compressor());
  if (sink_->compressed) sink_->packed.push(FileSink(sink_->file));
}

OutputFile::~OutputFile() {
  try {
    sink_->packed.reset();
  } catch (const std::exception&) {
    // Nobody could be told; what was to appear whole is thrown away in any case.
  }
  sink_->file.close();
  if (sink_->stays) return;
  std::error_code ignored;
  std::filesystem::remove(sink_->written_to, ignored);
}

void OutputFile::write(std::string_view text) {
  const auto size = static_cast<std::streamsize>(text.size());
  bool written = false;
  try {
    written = sink_->compressed ? sink_->packed.sputn(text.data(), size) == size
                                : static_cast<bool>(sink_->file.write(text.data(), size));
  } catch (const std::exception&) {
    written = false;
  }
  if (!written) throw InputError(sink_->path, 0, "", kFailed);
}

void OutputFile::flush() {
  if (!sink_->file.flush()) throw InputError(sink_->path, 0, "", kFailed);
}

void OutputFile::commit() {
  bool closed = true;
  try {
    sink_->packed.reset();
  } catch (const std::exception&) {
    closed = false;
  }
  sink_->file.close();
  if (!closed || !sink_->file) {
    throw InputError(sink_->path, 0, "", kFailed);
  }
  if (sink_->stays) return;
  std::error_code error;
  std::filesystem::rename(sink_->written_to, sink_->path, error);
  if (error) throw InputError(sink_->path, 0, "", "cannot be written: " + error.message());
  sink_->stays = true;
}

}  // namespace tokenyard
