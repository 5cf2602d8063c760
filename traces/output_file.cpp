#include "traces/output_file.hpp"

#include <boost/iostreams/categories.hpp>
#include <boost/iostreams/filter/gzip.hpp>
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

struct OutputFile::Sink {
  std::string path;
  std::string aside;
  std::ofstream file;
  io::filtering_streambuf<io::output> packed;
  bool gzip = false;
  bool committed = false;
};

OutputFile::OutputFile(const std::string& path) : sink_(std::make_unique<Sink>()) {
  sink_->path = path;
  sink_->aside = path + ".part";
  sink_->gzip = path.ends_with(".gz");
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    throw InputError(path, 0, "", "is a directory, not a file");
  }
  errno = 0;
  sink_->file.open(sink_->aside, std::ios::binary | std::ios::trunc);
  if (!sink_->file) {
    throw InputError(path, 0, "", std::string("cannot be written: ") + std::strerror(errno));
  }
  if (sink_->gzip) {
    sink_->packed.push(io::gzip_compressor());
    sink_->packed.push(FileSink(sink_->file));
  }
}

OutputFile::~OutputFile() {
  if (sink_->committed) return;
  try {
    sink_->packed.reset();
  } catch (const std::exception&) {
    // The file is thrown away in any case.
  }
  sink_->file.close();
  std::error_code ignored;
  std::filesystem::remove(sink_->aside, ignored);
}

void OutputFile::write(std::string_view text) {
  const auto size = static_cast<std::streamsize>(text.size());
  bool written = false;
  try {
    written = sink_->gzip ? sink_->packed.sputn(text.data(), size) == size
                          : static_cast<bool>(sink_->file.write(text.data(), size));
  } catch (const std::exception&) {
    written = false;
  }
  if (!written) throw InputError(sink_->path, 0, "", "writing failed (is the disk full?)");
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
    throw InputError(sink_->path, 0, "", "writing failed (is the disk full?)");
  }
  std::error_code error;
  std::filesystem::rename(sink_->aside, sink_->path, error);
  if (error) throw InputError(sink_->path, 0, "", "cannot be written: " + error.message());
  sink_->committed = true;
}

}  // namespace tokenyard
