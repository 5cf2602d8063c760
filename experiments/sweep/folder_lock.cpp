#include "experiments/sweep/folder_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "sim/kernel/input_error.hpp"

namespace tokenyard {

namespace fs = std::filesystem;

FolderLock::FolderLock(const fs::path& folder, Mode mode) : folder_(folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw InputError(folder.string(), 0, "", "cannot be created: " + error.message());
  const fs::path path = folder / ".lock";
  constexpr mode_t kForAll = 0666;  // less the user's mask
  file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kForAll);
  if (file_ < 0) {
    const std::string reason = std::generic_category().message(errno);
    throw InputError(path.string(), 0, "", "cannot be opened: " + reason);
  }
  try {
    change(mode);
  } catch (...) {
    ::close(file_);
    throw;
  }
}

FolderLock::~FolderLock() {
  ::close(file_);
}

void FolderLock::change(Mode mode) {
  const int how = mode == Mode::owned ? LOCK_EX : LOCK_SH;
  int status = 0;
  do {
    status = ::flock(file_, how | LOCK_NB);
  } while (status != 0 && errno == EINTR);
  if (status == 0) return;
  if (errno == EWOULDBLOCK) {
    throw InputError(folder_.string(), 0, "",
                     "another sweep is at work here; wait for its end, or give another --out");
  }
  throw InputError(folder_.string(), 0, "",
                   "cannot be locked: " + std::generic_category().message(errno));
}

}  // namespace tokenyard
