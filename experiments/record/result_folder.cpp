#include "experiments/record/result_folder.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <fstream>
#include <set>

#include "sim/kernel/input_error.hpp"

namespace tokenyard {

namespace fs = std::filesystem;

namespace {

bool plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-' || c == '=';
}

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

[[noreturn]] void refuse(const fs::path& path, std::string_view message) {
  throw InputError(path.string(), 0, "", message);
}

/// Symbolic links resolved, no trailing slash, absolute: renaming then hits the folder itself.
fs::path resolved(const fs::path& place) {
  if (place.empty()) refuse("--out", "the result folder has no name");
  std::error_code error;
  fs::path path = fs::weakly_canonical(fs::absolute(place), error);
  if (error) refuse(place, "cannot be reached: " + error.message());
  if (path.filename().empty()) path = path.parent_path();
  if (path.filename().empty()) refuse(place, "is no place for a result folder");
  return path;
}

void refuse_foreign(const fs::path& place) {
  std::error_code error;
  const auto status = fs::status(place, error);
  if (status.type() == fs::file_type::not_found) return;
  if (!fs::is_directory(status)) refuse(place, "exists and is not a folder");
  const bool empty = fs::is_empty(place, error);
  if (error) refuse(place, "cannot be read: " + error.message());
  if (!empty && !fs::is_regular_file(place / "run.json", error)) {
    refuse(place, "exists, is not empty and is no result folder (it has no run.json)");
  }
}

}  // namespace

std::string safe_file_name(std::string_view label) {
  constexpr std::size_t kLongest = 150;
  std::string name;
  for (const char c : label.substr(0, kLongest)) name += plain(c) ? c : '-';
  if (name.empty()) return "-";
  if (name.front() == '.') name.front() = '-';
  return name;
}

std::vector<std::string> safe_file_names(const std::vector<std::string>& labels) {
  std::set<std::string> taken = {"run.json", "plan.json",   "summary.csv", "summary_ci.csv",
                                 "plots",    "report.html", "cells"};
  std::vector<std::string> names;
  for (const auto& label : labels) {
    const std::string base = safe_file_name(label);
    std::string name = base;
    for (int number = 2; !taken.insert(lower(name)).second; ++number) {
      name = fmt::format("{}-{}", base, number);
    }
    names.push_back(name);
  }
  return names;
}

void write_text_file(const fs::path& file, std::string_view text) {
  std::ofstream out(file, std::ios::binary);
  if (!out) refuse(file, "cannot be opened for writing");
  out.write(text.data(), static_cast<std::streamsize>(text.size()));
  out.close();
  if (!out) refuse(file, "cannot write (is the disk full?)");
}

ResultFolder::ResultFolder(const fs::path& place) : place_(resolved(place)) {
  refuse_foreign(place_);
  std::error_code error;
  for (fs::path parent = place_.parent_path(); !fs::exists(parent, error) && parent.has_filename();
       parent = parent.parent_path()) {
    created_parent_ = parent;
  }
  fs::create_directories(place_.parent_path(), error);
  if (error) refuse(place_.parent_path(), "cannot be created: " + error.message());
  // The process number is enough: nobody else of the same number writes beside it now, and what
  // a killed process of that number left behind may go.
  partial_ = place_;
  partial_ += fmt::format(".partial-{}", ::getpid());
  fs::remove_all(partial_, error);
  if (!fs::create_directory(partial_, error)) {
    refuse(partial_, "cannot be created: " + error.message());
  }
}

ResultFolder::~ResultFolder() {
  if (committed_) return;
  std::error_code ignored;  // nothing better can be done in a destructor
  fs::remove_all(partial_, ignored);
  if (created_parent_.empty()) return;
  // Only parents that this object made, and only while they are empty.
  for (fs::path parent = place_.parent_path(); fs::remove(parent, ignored);) {
    if (parent == created_parent_) return;
    parent = parent.parent_path();
  }
}

void ResultFolder::commit() {
  refuse_foreign(place_);  // it may have changed during a long run
  std::error_code error;
  fs::path old;
  if (fs::exists(place_, error)) {
    old = place_;
    old += fmt::format(".old-{}", ::getpid());
    fs::remove_all(old, error);
    fs::rename(place_, old, error);
    if (error) refuse(place_, "cannot be replaced: " + error.message());
  }
  fs::rename(partial_, place_, error);
  if (error) {
    const std::string reason = error.message();
    if (!old.empty()) fs::rename(old, place_, error);
    refuse(place_, "cannot be put in place: " + reason);
  }
  committed_ = true;
  if (!old.empty()) fs::remove_all(old, error);
}

}  // namespace tokenyard
