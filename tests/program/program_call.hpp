#pragma once
// The program as users call it.

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "tests/support/files.hpp"

namespace tokenyard {

struct Called {
  int status = -1;
  std::string out;
  std::string err;
};

/// A folder of its own for each test, removed at its end.
class Program : public testing::Test {
 protected:
  Called call(const std::string& arguments) {
    const std::string command = "cd " + folder_.string() + " && " TOKENYARD_BINARY " " + arguments +
                                " >stdout.txt 2>stderr.txt";
    Called called;
    called.status = WEXITSTATUS(std::system(command.c_str()));
    called.out = test::file_content(folder_ / "stdout.txt");
    called.err = test::file_content(folder_ / "stderr.txt");
    return called;
  }

  void write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name) << text;
  }

  /// Every file below a folder with its bytes.
  std::map<std::string, std::string> files(const std::string& name) {
    std::map<std::string, std::string> found;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_ / name)) {
      if (entry.is_regular_file()) {
        found[std::filesystem::relative(entry.path(), folder_ / name).string()] =
            test::file_content(entry.path());
      }
    }
    return found;
  }

  const test::TemporaryFolder temporary_;
  const std::filesystem::path folder_ = temporary_.path();
};

}  // namespace tokenyard
