#pragma once
// Who may include whom: the floors of the house (docs/architecture.md).

#include <array>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/layering/source_text.hpp"

namespace tokenyard::layering {

/// A room's folder and its floor; rooms of one floor are blind to one another.
struct Room {
  std::string_view folder;
  int floor = 0;
};

inline constexpr std::array<Room, 10> kRooms = {{{"sim/kernel/", 0},
                                                 {"sim/ports/", 1},
                                                 {"sim/server/", 2},
                                                 {"policies/", 3},
                                                 {"models/", 3},
                                                 {"engine/", 3},
                                                 {"traces/", 3},
                                                 {"experiments/", 4},
                                                 {"tests/", 5},
                                                 {"bench/", 5}}};

inline const Room* room_of(std::string_view path) {
  for (const Room& room : kRooms) {
    if (path.starts_with(room.folder)) return &room;
  }
  return nullptr;
}

/// Libraries that no header may pull into the files that include it.
inline constexpr std::array<std::string_view, 4> kOnlyInCpp = {
    "nlohmann/", "boost/program_options", "boost/iostreams", "gnuplot-iostream"};

/// What is wrong with one include of the file at `path`, or "".
inline std::string include_fault(const std::string& path, const Include& include,
                                 const std::set<std::string>& known) {
  const Room* from = room_of(path);
  const Room* to = room_of(include.name);
  if (!include.quoted) {
    if (to != nullptr) return "a file of ours is included with quotes";
    for (const auto library : kOnlyInCpp) {
      if (path.ends_with(".hpp") && include.name.starts_with(library)) {
        return "a heavy library is included by .cpp files only";
      }
    }
    // Standard headers have neither folder nor extension.
    if (path.starts_with("policies/") && include.name.find_first_of("/.") != std::string::npos) {
      return "a policy includes its port and the standard library only";
    }
    return "";
  }
  if (!known.contains(include.name)) return "no such file, counted from the repository's root";
  if (to == nullptr || from == nullptr) return "outside all rooms";
  if (path.starts_with("policies/") && to != from && include.name != "sim/ports/policy.hpp") {
    return "a policy includes its port and the standard library only";
  }
  if (to->floor > from->floor) return "an include may only go down";
  if (to->floor == from->floor && to != from) return "siblings are blind to one another";
  return "";
}

/// "FILE:LINE: …" for every include that breaks a rule. `files` is the whole tree.
inline std::vector<std::string> include_faults(const std::vector<SourceFile>& files) {
  std::set<std::string> known;
  for (const auto& file : files) known.insert(file.path);
  std::vector<std::string> faults;
  for (const auto& file : files) {
    if (room_of(file.path) == nullptr) faults.push_back(file.path + ": in no room");
    for (const auto& include : includes_of(file)) {
      const std::string fault = include_fault(file.path, include, known);
      if (fault.empty()) continue;
      faults.push_back(file.path + ":" + std::to_string(include.line) + ": " + include.name + ": " +
                       fault);
    }
  }
  return faults;
}

}  // namespace tokenyard::layering
