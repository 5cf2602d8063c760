#pragma once

#include <filesystem>

namespace tokenyard {

/// A lock on a folder, held by a file ".lock" in it (flock) that stays there: the system lets go
/// when the process ends, however it ends. One holder owns it, or several share it; nobody waits.
/// One object, one thread.
class FolderLock {
 public:
  enum class Mode { owned, shared };

  /// Creates the folder and the file where they are missing. Throws `InputError` where somebody
  /// else is at work in the folder, or it cannot be locked.
  FolderLock(const std::filesystem::path& folder, Mode mode);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

  /// Changes the mode; not in one step, so that somebody else may come between.
  void change(Mode mode);

 private:
  std::filesystem::path folder_;
  int file_ = -1;
};

}  // namespace tokenyard
