#pragma once
// Calling the program in a folder of the test's own, and what sweeps leave there.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "experiments/record/result_folder.hpp"
#include "tests/experiments/made_up.hpp"

namespace tokenyard::sweeps {

namespace fs = std::filesystem;
using made_up::contents;

/// Sixteen cells.
inline constexpr const char* kPlan = R"({
  "trace": {"requests": 60, "arrivals": "poisson:rate=2", "lengths": "sharegpt-like"},
  "policies": ["fcfs", "skip-join-mlfq:ratio=2,promote_after_ms=300"],
  "request_rates": [1, 4],
  "seeds": 2,
  "options": {"model": "opt-13b", "device": "a100-40g", "max-num-seqs": 8, "kv-blocks": 150},
  "variants": {"recompute": {}, "it.swaps": {"evict": "swap", "proactive-swap": true}}
})";

class SweepCalls : public testing::Test {
 protected:
  /// Calls the program, "tokenyard …", in the test's own folder; gives its exit status.
  int call(const std::string& words) {
    const std::string command = "cd " + scratch_.path().string() + " && tokenyard() { " +
                                TOKENYARD_BINARY + " \"$@\"; }; " + words +
                                " >stdout.txt 2>stderr.txt";
    const int status = WEXITSTATUS(std::system(command.c_str()));
    out_ = contents(scratch_.path() / "stdout.txt");
    err_ = contents(scratch_.path() / "stderr.txt");
    return status;
  }

  /// The same without waiting for its end, and without a shell; what it says goes to said.txt.
  /// Gives the process.
  pid_t start(const std::vector<std::string>& arguments) const {
    std::vector<std::string> words = {TOKENYARD_BINARY};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    const pid_t child = ::fork();
    if (child != 0) return child;
    const int said = ::open(path("said.txt").c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0600);
    ::dup2(said, STDOUT_FILENO);
    ::dup2(said, STDERR_FILENO);
    if (::chdir(scratch_.path().c_str()) == 0) ::execv(TOKENYARD_BINARY, pointers.data());
    ::_exit(127);
  }

  fs::path path(const std::string& name) const { return scratch_.path() / name; }
  void write(const std::string& name, const std::string& text) const {
    write_text_file(path(name), text);
  }

  /// The lines of a file of the test's folder.
  std::vector<std::string> lines(const std::string& text) const {
    std::vector<std::string> read;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) read.push_back(line);
    return read;
  }

  /// The files of a folder and their contents; of a sweep's, those that are its results, or those
  /// of its cells.
  enum class Part { results, cells };
  std::map<std::string, std::string> files(const std::string& folder,
                                           Part part = Part::results) const {
    std::map<std::string, std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(path(folder))) {
      if (!entry.is_regular_file()) continue;
      const std::string name = fs::relative(entry.path(), path(folder)).string();
      const bool of_cell = name.starts_with("cells/");
      if (of_cell == (part == Part::cells)) found[name] = contents(entry.path());
    }
    return found;
  }

  /// The folders of finished cells.
  std::vector<std::string> cells(const std::string& folder) const {
    std::vector<std::string> names;
    std::error_code not_yet;
    for (const auto& entry : fs::directory_iterator(path(folder) / "cells", not_yet)) {
      const std::string name = entry.path().filename().string();
      if (name.find('.') == std::string::npos) names.push_back(name);
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  made_up::ScratchFolder scratch_;
  std::string out_, err_;
};

}  // namespace tokenyard::sweeps
