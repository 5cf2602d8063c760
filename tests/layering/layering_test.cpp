// The house rules that a program can check, on the source tree itself; and, so that the checker is
// known to see, on made-up files that break each rule.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/layering/include_rules.hpp"
#include "tests/layering/source_text.hpp"
#include "tests/layering/text_rules.hpp"

namespace tokenyard::layering {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// All C++ files of the repository, by path; what is built or hidden is left out.
std::vector<SourceFile> source_tree() {
  namespace fs = std::filesystem;
  const fs::path root = TOKENYARD_SOURCE_DIR;
  std::vector<SourceFile> files;
  for (auto entry = fs::recursive_directory_iterator(root); entry != fs::end(entry); ++entry) {
    const std::string name = entry->path().filename().string();
    const bool top = entry.depth() == 0;
    if (entry->is_directory() &&
        (name.starts_with(".") || (top && (name == "build" || name == "out")))) {
      entry.disable_recursion_pending();
      continue;
    }
    const std::string extension = entry->path().extension().string();
    if (!entry->is_regular_file() || (extension != ".cpp" && extension != ".hpp")) continue;
    std::ifstream stream(entry->path(), std::ios::binary);
    files.push_back({entry->path().lexically_relative(root).generic_string(),
                     {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()}});
  }
  std::sort(files.begin(), files.end(),
            [](const auto& a, const auto& b) { return a.path < b.path; });
  return files;
}

std::string text_of(const std::vector<std::string>& faults) {
  std::string text;
  for (const auto& fault : faults) text += fault + "\n";
  return text;
}

// Catches an include that goes up, sideways between siblings, past a policy's port, to a file that
// is not there, or that brings a heavy library into a header.
TEST(Layering, EveryIncludeGoesDown) {
  const auto faults = include_faults(source_tree());
  EXPECT_THAT(faults, IsEmpty()) << text_of(faults);
}

// Catches banned calls (unseeded randomness, system clocks, hash order), unfinished work, long
// files and lines, and undocumented headers.
TEST(Layering, EveryFileKeepsTheRules) {
  for (const auto& file : source_tree()) {
    const auto faults = text_faults(file);
    EXPECT_THAT(faults, IsEmpty()) << text_of(faults);
  }
}

// Catches a scan that finds nothing (a wrong root), and files that grow as a whole.
TEST(Layering, TheTreeIsFoundAndItsMedianFileIsShort) {
  std::vector<std::size_t> lengths;
  for (const auto& file : source_tree()) lengths.push_back(lines_of(file.text).size());
  ASSERT_GE(lengths.size(), 30U);
  const auto middle = lengths.begin() + static_cast<std::ptrdiff_t>(lengths.size() / 2);
  std::nth_element(lengths.begin(), middle, lengths.end());
  EXPECT_LE(*middle, 160U);
}

/// The faults of a file that includes `include`, in a tree with one header a room.
std::vector<std::string> faults_of(const std::string& path, const std::string& include) {
  std::vector<SourceFile> files = {{path, "\n#include " + include + "\n"}};
  for (const char* header :
       {"sim/kernel/k.hpp", "sim/ports/policy.hpp", "sim/server/s.hpp", "policies/p.hpp",
        "models/m.hpp", "traces/t.hpp", "tests/t.hpp", "experiments/e.hpp"}) {
    files.push_back({header, ""});
  }
  return include_faults(files);
}

// Catches a checker that lets a forbidden include pass.
TEST(LayeringChecker, SeesEachForbiddenInclude) {
  const std::vector<std::array<std::string, 3>> cases = {
      {"sim/kernel/a.hpp", "\"sim/ports/policy.hpp\"", "only go down"},
      {"sim/ports/a.cpp", "\"sim/server/s.hpp\"", "only go down"},
      {"sim/server/a.cpp", "\"models/m.hpp\"", "only go down"},
      {"models/a.cpp", "\"experiments/e.hpp\"", "only go down"},
      {"experiments/a.cpp", "\"tests/t.hpp\"", "only go down"},
      {"models/a.cpp", "\"traces/t.hpp\"", "siblings"},
      {"traces/a.cpp", "\"policies/p.hpp\"", "siblings"},
      {"engine/a.cpp", "\"models/m.hpp\"", "siblings"},
      {"bench/a.cpp", "\"tests/t.hpp\"", "siblings"},
      {"policies/a.cpp", "\"sim/kernel/k.hpp\"", "its port"},
      {"policies/a.cpp", "\"sim/server/s.hpp\"", "its port"},
      {"policies/a.cpp", "<fmt/format.h>", "its port"},
      {"policies/a.cpp", "<math.h>", "its port"},
      {"models/a.cpp", "\"m.hpp\"", "no such file"},
      {"models/a.cpp", "  \"../models/m.hpp\"", "no such file"},
      {"models/a.cpp", "<models/m.hpp>", "with quotes"},
      {"traces/a.hpp", "<nlohmann/json.hpp>", "heavy"},
      {"experiments/a.hpp", "<boost/program_options.hpp>", "heavy"},
      {"tools/a.cpp", "<vector>", "in no room"},
  };
  for (const auto& [path, include, what] : cases) {
    EXPECT_THAT(faults_of(path, include), ElementsAre(HasSubstr(what))) << path << " " << include;
  }
}

// Catches a checker that refuses what is allowed (and would drive authors to weaken it).
TEST(LayeringChecker, AllowsWhatGoesDown) {
  for (const auto& [path, include] : std::vector<std::array<std::string, 2>>{
           {"sim/ports/a.hpp", "\"sim/kernel/k.hpp\""},
           {"sim/server/a.hpp", "\"sim/ports/policy.hpp\""},
           {"policies/a.cpp", "\"sim/ports/policy.hpp\""},
           {"policies/a.cpp", "\"policies/p.hpp\""},
           {"policies/a.cpp", "<vector>"},
           {"models/a.cpp", "\"sim/server/s.hpp\""},
           {"traces/a.cpp", "<nlohmann/json.hpp>"},
           {"experiments/a.cpp", "\"traces/t.hpp\""},
           {"tests/a.cpp", "\"experiments/e.hpp\""},
           {"models/a.cpp", "<vector>  // not \"traces/t.hpp\""}}) {
    EXPECT_THAT(faults_of(path, include), IsEmpty()) << path << " " << include;
  }
  EXPECT_THAT(include_faults({{"models/a.cpp", "// #include \"traces/t.hpp\"\n"}}), IsEmpty());
}

// Catches a checker that lets a banned name pass.
TEST(LayeringChecker, SeesEachBannedName) {
  const std::vector<std::array<std::string, 2>> cases = {
      {"models/a.cpp", "int x = std::rand();"},
      {"tests/a_test.cpp", "srand(1);"},
      {"bench/a.cpp", "long t = time(NULL);"},
      {"traces/a.cpp", "std::random_device device;"},
      {"traces/a.cpp", "std::normal_distribution<double> draw;"},
      {"experiments/cli/a.cpp", "auto now = std::chrono::system_clock::now();"},
      {"sim/kernel/time.cpp", "auto now = std::chrono::steady_clock::now();"},
      {"experiments/report/a.cpp", "using Clock = std::chrono::steady_clock;"},
      {"sim/server/a.cpp", "std::unordered_map<int, int> map;"},
      {"policies/a.cpp", "std::unordered_set<int> set;"},
      {"sim/server/a.cpp", "if (is_simulated_) skip();"},
      {"sim/server/a.cpp", std::string("// TO") + "DO: later"},
      {"policies/fcfs.cpp", std::string(40, '\n')},
      {"policies/srpt.cpp", std::string(84, '\n')},
      {"policies/mlfq.cpp", std::string(169, '\n')},
      {"traces/a.cpp", std::string(500, '\n')},
      {"traces/a.cpp", "// " + std::string(98, 'a')},
      {"models/a.cpp", "auto text = \"a\\\"b\"; srand(1);"},
      {"models/a.cpp", "int million = 1'000'000; srand(1); char c = 'c';"},
      {"models/a.cpp", "auto text = R\"x(\")x\"; srand(1);"},
  };
  for (const auto& [path, line] : cases) {
    EXPECT_EQ(text_faults({path, line + "\nint last;\n"}).size(), 1U) << path << " " << line;
  }
  EXPECT_THAT(text_faults({"sim/kernel/a.hpp", "// A comment.\nstruct A {};\n"}),
              ElementsAre(HasSubstr("#pragma once")));
  EXPECT_THAT(text_faults({"sim/kernel/a.hpp", "#pragma once\nstruct A {};\n"}),
              ElementsAre(HasSubstr("undocumented")));
}

// Catches a checker that takes words in comments and literals, or parts of names, for calls.
TEST(LayeringChecker, ReadsCodeOnly) {
  for (const char* line :
       {"// unlike std::rand() it is seeded", "/* std::random_device\n srand(1) */",
        "auto text = \"srand(1)\";", "auto text = R\"x(a \" srand(1))x\";", "operand(1);",
        "run_time(0);", "char quote = '\"'; // srand(1) \""}) {
    EXPECT_THAT(text_faults({"models/a.cpp", line}), IsEmpty()) << line;
  }
  EXPECT_THAT(text_faults({"sim/kernel/clock.cpp", "std::chrono::steady_clock::now();"}),
              IsEmpty());
  EXPECT_THAT(text_faults({"traces/a.cpp",
                           "// " + std::string(48, 'a') + "äöüäöüäöüäöü" + std::string(37, 'a')}),
              IsEmpty());
}

}  // namespace
}  // namespace tokenyard::layering
