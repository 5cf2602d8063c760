#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace tokenyard {

/// A label made safe as a file name: letters, digits and . _ - = are kept, everything else becomes
/// '-'; a leading '.' too. Never empty, at most 150 characters.
std::string safe_file_name(std::string_view label);

/// The same for several labels, in order: what collides (ignoring case), or would take the name of
/// a file that every result folder has, gets the suffix -2, -3, …
std::vector<std::string> safe_file_names(const std::vector<std::string>& labels);

/// Writes a whole text file. Throws `InputError` when it cannot.
void write_text_file(const std::filesystem::path& file, std::string_view text);

/// A result folder that appears complete or not at all: it is written aside, under a temporary
/// name beside its place, and renamed by `commit`. Not committed, it is removed by the destructor.
/// One object, one thread.
class ResultFolder {
 public:
  /// Creates the temporary folder (and missing parents). Throws `InputError` when `place` is a
  /// file, is a folder that is neither empty nor a result folder of ours (it has no run.json), or
  /// cannot be written.
  explicit ResultFolder(const std::filesystem::path& place);
  ~ResultFolder();
  ResultFolder(const ResultFolder&) = delete;
  ResultFolder& operator=(const ResultFolder&) = delete;

  /// Where to write meanwhile.
  const std::filesystem::path& path() const { return partial_; }

  /// Puts the folder in its place, instead of an earlier result folder. Throws `InputError` when
  /// the system refuses; the earlier one is then still there.
  void commit();

 private:
  std::filesystem::path place_;
  std::filesystem::path partial_;
  std::filesystem::path created_parent_;  ///< the topmost parent made here; empty: none
  bool committed_ = false;
};

}  // namespace tokenyard
