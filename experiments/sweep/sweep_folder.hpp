#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "experiments/sweep/folder_lock.hpp"

namespace tokenyard {

/// The folder of a sweep: finished cells in cells/NAME, and beside them the sweep's results. One
/// object owns it; what an earlier sweep left there is used. One object, one thread; `cell` is safe
/// to call from several.
class SweepFolder {
 public:
  /// Creates what is missing and clears away what killed sweeps left half-written. Throws
  /// `InputError` where `place` is no folder, is one of somebody else's (not empty, with neither a
  /// run.json nor cells), is in use by another sweep, or cannot be written.
  explicit SweepFolder(const std::filesystem::path& place);

  const std::filesystem::path& path() const { return place_; }
  /// Where the cell of this name stands, or will.
  std::filesystem::path cell(const std::string& name) const;
  /// Moves a cell that cannot be used out of the way, beside its place, and says where it is now.
  std::filesystem::path set_aside(const std::string& name);

  /// Lets processes that carry out listed cells work in the folder too, or no longer; then what
  /// killed ones left half-written is cleared away.
  void share(bool with_cells);

  /// Files by their path in the folder: texts, and files to take over from elsewhere in it.
  struct Contents {
    std::map<std::string, std::string> texts;
    std::map<std::string, std::filesystem::path> copies;
  };
  /// Puts results in place of earlier ones, run.json last, unless the same are there. Goes, besides
  /// the files of the earlier ones, what was drawn from them; anything else stays.
  void put(const Contents& contents);

 private:
  bool has(const Contents& contents) const;
  void remove_earlier_results();

  std::filesystem::path place_;
  FolderLock lock_;
};

}  // namespace tokenyard
