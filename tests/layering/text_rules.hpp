#pragma once
// What may stand in a file: banned names, sizes, documentation.

#include <algorithm>
#include <array>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include "tests/layering/source_text.hpp"

namespace tokenyard::layering {

/// A pattern that must not occur in the files under `where` ("" is everywhere), but for files whose
/// path contains one of `except`. It is looked for in code, or in comments too.
struct Ban {
  const char* pattern;
  std::vector<std::string_view> where;
  std::vector<std::string_view> except;
  bool comments_too;
  const char* why;
};

inline const std::vector<Ban>& bans() {
  static const std::vector<Ban> all = {
      {"\\bs?rand\\s*\\(|\\brandom_device\\b|\\btime\\s*\\(\\s*(NULL|nullptr|0)\\s*\\)",
       {""},
       {},
       false,
       "randomness comes from named_stream"},
      {"\\bstd::[a-z_]+_distribution\\b|\\bmt19937",
       {"sim/", "policies/", "models/", "engine/", "traces/", "experiments/"},
       {},
       false,
       "the distributions of <random> differ between platforms; use named_stream and Boost.Random"},
      {"\\b(system_clock|high_resolution_clock|gettimeofday|clock_gettime)\\b",
       {""},
       {},
       false,
       "nothing depends on the system's date"},
      {"\\bsteady_clock\\b",
       {"sim/", "policies/", "models/", "engine/", "traces/", "experiments/"},
       {"sim/kernel/clock.", "sim/kernel/event_queue.hpp", "experiments/cli/", "progress"},
       false,
       "only a Clock knows the time"},
      {"\\bunordered_(multi)?(map|set)\\b",
       {"sim/", "policies/"},
       {"sim/server/block_pool."},  // contents are looked up there, never gone through
       false,
       "no decision may depend on the order of hashes"},
      {"simulated", {"sim/server/"}, {}, false, "the server cannot tell simulated from real time"},
      // (The brackets keep this line from being found itself.)
      {"\\b(TO[D]O|FIX[M]E|XX[X])\\b", {""}, {}, true, "finish it, or open an issue"},
  };
  return all;
}

inline bool applies(const Ban& ban, const std::string& path) {
  const auto under = [&](std::string_view folder) { return path.starts_with(folder); };
  const auto in_path = [&](std::string_view part) { return path.find(part) != std::string::npos; };
  return std::any_of(ban.where.begin(), ban.where.end(), under) &&
         std::none_of(ban.except.begin(), ban.except.end(), in_path);
}

/// The most lines a file may have.
inline std::size_t lines_max(const std::string& path) {
  if (path == "policies/fcfs.cpp") return 40;
  if (path == "policies/srpt.cpp") return 84;
  if (path == "policies/mlfq.cpp") return 169;
  return 500;
}

/// The number of characters of a UTF-8 text.
inline std::size_t columns(const std::string& line) {
  const auto starts_character = [](char byte) { return (byte & '\xc0') != '\x80'; };
  return static_cast<std::size_t>(std::count_if(line.begin(), line.end(), starts_character));
}

/// "FILE:LINE: …" for everything in one file that breaks a rule.
inline std::vector<std::string> text_faults(const SourceFile& file) {
  std::vector<std::string> faults;
  const auto report = [&](std::size_t line, const std::string& what) {
    faults.push_back(file.path + ":" + std::to_string(line) + ": " + what);
  };
  const auto lines = lines_of(file.text);
  const auto code = lines_of(code_of(file.text));
  const std::size_t most = lines_max(file.path);
  if (lines.size() > most) report(lines.size(), "more than " + std::to_string(most) + " lines");
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (columns(lines[i]) > 100) report(i + 1, "more than 100 columns");
  }
  for (const Ban& ban : bans()) {
    if (!applies(ban, file.path)) continue;
    const std::regex pattern(ban.pattern, std::regex::icase | std::regex::optimize);
    const auto& searched = ban.comments_too ? lines : code;
    for (std::size_t i = 0; i < searched.size(); ++i) {
      std::smatch match;
      if (std::regex_search(searched[i], match, pattern)) {
        report(i + 1, match.str() + ": " + ban.why);
      }
    }
  }
  if (file.path.ends_with(".hpp")) {
    if (!file.text.starts_with("#pragma once\n")) report(1, "a header begins with #pragma once");
    const auto documents = [](const std::string& line) { return line.starts_with("//"); };
    if (std::none_of(lines.begin(), lines.end(), documents)) report(1, "an undocumented header");
  }
  return faults;
}

}  // namespace tokenyard::layering
