#include "traces/temporary_file.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>

#include "sim/kernel/input_error.hpp"

namespace tokenyard {

namespace {

std::string folder() {
  const char* const given = std::getenv("TMPDIR");
  return given != nullptr && *given != '\0' ? given : "/tmp";
}

[[noreturn]] void refuse(const char* what) {
  throw InputError(
      fmt::format("{}: a temporary file cannot be {}: {}", folder(), what, std::strerror(errno)));
}

}  // namespace

TemporaryFile::TemporaryFile() {
  std::string path = folder() + "/tokenyard-XXXXXX";
  file_ = ::mkstemp(path.data());
  if (file_ < 0) refuse("made");
  ::unlink(path.c_str());
}

TemporaryFile::~TemporaryFile() {
  ::close(file_);
}

void TemporaryFile::append(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) refuse("written");
    bytes.remove_prefix(static_cast<std::size_t>(written));
    size_ += static_cast<std::uint64_t>(written);
  }
}

void TemporaryFile::read(std::uint64_t offset, char* to, std::size_t size) const {
  while (size > 0) {
    const ssize_t got = ::pread(file_, to, size, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got == 0) errno = EIO;  // it is shorter than was written
    if (got <= 0) refuse("read");
    to += got;
    offset += static_cast<std::uint64_t>(got);
    size -= static_cast<std::size_t>(got);
  }
}

}  // namespace tokenyard
