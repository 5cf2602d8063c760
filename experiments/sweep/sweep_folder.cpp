#include "experiments/sweep/sweep_folder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <regex>
#include <sstream>

#include "experiments/record/result_folder.hpp"
#include "experiments/report/result_reader.hpp"
#include "experiments/sweep/file_digest.hpp"
#include "sim/kernel/input_error.hpp"
#include "sim/kernel/strict_json.hpp"

namespace tokenyard {

namespace fs = std::filesystem;

namespace {

constexpr const char* kCells = "cells";
constexpr const char* kNew = ".new";  ///< results on their way into place
/// Who finds this finds all that belongs to it.
constexpr const char* kLast = "run.json";

[[noreturn]] void refuse(const fs::path& path, const std::string& message) {
  throw InputError(path.string(), 0, "", message);
}

/// The place itself, where no other program keeps anything.
const fs::path& own_place(const fs::path& place) {
  std::error_code error;
  const auto status = fs::status(place, error);
  if (status.type() == fs::file_type::not_found) return place;
  if (!fs::is_directory(status)) refuse(place, "exists and is not a folder");
  const bool empty = fs::is_empty(place, error);
  if (error) refuse(place, "cannot be read: " + error.message());
  if (!empty && !fs::is_regular_file(place / "run.json", error) &&
      !fs::is_directory(place / kCells, error)) {
    refuse(place, "exists, is not empty and is no result folder (it has no run.json)");
  }
  return place;
}

void remove_tree(const fs::path& path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (error) refuse(path, "cannot be removed: " + error.message());
}

void move_to(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (error) refuse(to, "cannot be put in place: " + error.message());
}

void create_parent(const fs::path& file) {
  std::error_code error;
  fs::create_directories(file.parent_path(), error);
  if (error) refuse(file.parent_path(), "cannot be created: " + error.message());
}

/// A second name for the same file where the system has that, else a copy.
void link_or_copy(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::create_hard_link(from, to, error);
  if (!error) return;
  fs::copy_file(from, to, error);
  if (error) refuse(to, "cannot be written: " + error.message());
}

/// What `ResultFolder` leaves of a cell when its process is killed.
void remove_leftovers(const fs::path& cells) {
  static const std::regex half_written("[0-9a-f]{16}\\.(partial|old)-[0-9]+");
  std::error_code error;
  std::vector<fs::path> leftovers;
  for (fs::directory_iterator entry(cells, error), end; !error && entry != end;
       entry.increment(error)) {
    if (std::regex_match(entry->path().filename().string(), half_written)) {
      leftovers.push_back(entry->path());
    }
  }
  if (error) refuse(cells, "cannot be listed: " + error.message());
  for (const fs::path& leftover : leftovers) remove_tree(leftover);
}

/// The names of the files that make up the results in `folder`: of every sweep and run, then those
/// of runs and kept cells (none where it cannot be read what these are).
std::vector<std::string> files_of_results(const fs::path& folder) {
  std::vector<std::string> files = {kLast, "summary.csv", "summary_ci.csv", "plan.json"};
  try {
    const JsonObject run = JsonFile::read((folder / kLast).string());
    const bool is_sweep = run.string_or("command", "run") == "sweep";
    std::vector<std::string> labels;
    for (const Summary& row : read_summaries(folder / "summary.csv", is_sweep)) {
      labels.push_back(row.key.label);
    }
    for (const std::string& name : safe_file_names(labels)) {
      for (const char* file : {"requests.csv", "iterations.csv", "timeline.json"}) {
        files.push_back(name + "/" + file);
      }
    }
  } catch (const InputError&) {
    return files;
  }
  return files;
}

}  // namespace

SweepFolder::SweepFolder(const fs::path& place)
    : place_(own_place(place)), lock_(place_ / kCells, FolderLock::Mode::owned) {
  remove_leftovers(place_ / kCells);
}

fs::path SweepFolder::cell(const std::string& name) const {
  return place_ / kCells / name;
}

fs::path SweepFolder::set_aside(const std::string& name) {
  fs::path aside = cell(name + ".damaged");
  std::error_code error;
  for (int number = 2; fs::exists(fs::symlink_status(aside, error)); ++number) {
    aside = cell(fmt::format("{}.damaged-{}", name, number));
  }
  move_to(cell(name), aside);
  return aside;
}

void SweepFolder::share(bool with_cells) {
  lock_.change(with_cells ? FolderLock::Mode::shared : FolderLock::Mode::owned);
  if (!with_cells) remove_leftovers(place_ / kCells);
}

bool SweepFolder::has(const Contents& contents) const {
  const auto same = [&](const auto& file) {
    std::ifstream in(place_ / file.first, std::ios::binary);
    std::ostringstream found;
    found << in.rdbuf();
    return in && found.str() == file.second;
  };
  std::error_code error;
  const auto has_copy = [&](const auto& file) {
    return fs::is_regular_file(place_ / file.first, error) &&
           file_digest(place_ / file.first) == file_digest(file.second);
  };
  const auto is_more = [&](const std::string& name) {
    return fs::exists(place_ / name, error) && !contents.texts.contains(name) &&
           !contents.copies.contains(name);
  };
  return std::all_of(contents.texts.begin(), contents.texts.end(), same) &&
         std::all_of(contents.copies.begin(), contents.copies.end(), has_copy) &&
         std::ranges::none_of(files_of_results(place_), is_more);
}

void SweepFolder::remove_earlier_results() {
  for (const std::string& name : files_of_results(place_)) {
    const fs::path file = place_ / name;
    remove_tree(file);
    std::error_code ignored;  // a folder that is not empty holds what is not ours
    if (file.parent_path() != place_) fs::remove(file.parent_path(), ignored);
  }
  remove_tree(place_ / "plots");
  remove_tree(place_ / "report.html");
}

void SweepFolder::put(const Contents& contents) {
  const fs::path aside = place_ / kNew;
  remove_tree(aside);
  if (has(contents)) return;
  for (const auto& [name, text] : contents.texts) {
    create_parent(aside / name);
    write_text_file(aside / name, text);
  }
  for (const auto& [name, from] : contents.copies) {
    create_parent(aside / name);
    link_or_copy(from, aside / name);
  }
  remove_earlier_results();
  const auto put_in_place = [&](const std::string& name) {
    create_parent(place_ / name);
    move_to(aside / name, place_ / name);
  };
  for (const auto& [name, from] : contents.copies) put_in_place(name);
  for (const auto& [name, text] : contents.texts) {
    if (name != kLast) put_in_place(name);
  }
  if (contents.texts.contains(kLast)) put_in_place(kLast);
  remove_tree(aside);
}

}  // namespace tokenyard
