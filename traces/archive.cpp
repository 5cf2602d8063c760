#include "traces/archive.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <array>
#include <memory>

#include "sim/kernel/input_error.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

namespace {

struct Close {
  void operator()(archive* reader) const { archive_read_free(reader); }
};
using Reader = std::unique_ptr<archive, Close>;

class ArchiveFile {
 public:
  explicit ArchiveFile(const std::string& path) : path_(path), reader_(archive_read_new()) {
    if (!reader_) throw InputError(path_, 0, "", "no memory to read an archive");
    archive_read_support_filter_gzip(reader_.get());
    archive_read_support_filter_zstd(reader_.get());
    archive_read_support_format_tar(reader_.get());
    archive_read_support_format_zip(reader_.get());
    constexpr std::size_t kBlock = std::size_t{64} << 10;
    check(archive_read_open_filename(reader_.get(), path_.c_str(), kBlock));
  }

  /// The next regular file's name; false at the end.
  bool next(std::string& name) {
    for (;;) {
      archive_entry* entry = nullptr;
      const int status = archive_read_next_header(reader_.get(), &entry);
      if (status == ARCHIVE_EOF) return false;
      check(status);
      const char* path = archive_entry_pathname(entry);
      if (path == nullptr || archive_entry_filetype(entry) != AE_IFREG) continue;
      name = path;
      return true;
    }
  }

  std::string content() {
    constexpr std::size_t kMost = std::size_t{1} << 30;
    std::string content;
    std::array<char, std::size_t{64} << 10> part{};
    for (;;) {
      const auto got = archive_read_data(reader_.get(), part.data(), part.size());
      if (got < 0) check(static_cast<int>(got));
      if (got <= 0) return content;
      content.append(part.data(), static_cast<std::size_t>(got));
      if (content.size() > kMost) throw InputError(path_, 0, "", "a file is larger than 1 GiB");
    }
  }

 private:
  void check(int status) {
    if (status == ARCHIVE_OK) return;
    const char* why = archive_error_string(reader_.get());
    throw InputError(path_, 0, "",
                     fmt::format("cannot be read as an archive: {}",
                                 printable(why != nullptr ? why : "it is damaged")));
  }

  const std::string& path_;
  Reader reader_;
};

}  // namespace

void read_archive(const std::string& path,
                  const std::function<void(const std::string& name,
                                           const std::function<std::string()>& content)>& visit) {
  ArchiveFile file(path);
  std::string name;
  while (file.next(name)) visit(name, [&file] { return file.content(); });
}

}  // namespace tokenyard
