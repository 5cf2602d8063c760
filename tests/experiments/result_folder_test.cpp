#include "experiments/record/result_folder.hpp"

#include <gtest/gtest.h>

#include "sim/kernel/input_error.hpp"
#include "tests/experiments/made_up.hpp"

namespace tokenyard {
namespace {

namespace fs = std::filesystem;
using made_up::contents;
using made_up::ScratchFolder;

std::size_t entries(const fs::path& folder) {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

// Catches a folder that is visible before it is complete, or never gets into its place.
TEST(ResultFolder, AppearsOnCommit) {
  const ScratchFolder scratch;
  const fs::path place = scratch.path() / "new" / "deep" / "out";
  ResultFolder folder(place);
  write_text_file(folder.path() / "run.json", "{}");
  EXPECT_FALSE(fs::exists(place));
  folder.commit();
  EXPECT_EQ(contents(place / "run.json"), "{}");
  EXPECT_EQ(entries(place.parent_path()), 1u);
}

// Catches a half-written folder, or parents made for it, left behind after an error.
TEST(ResultFolder, LeavesNothingWhenNotCommitted) {
  const ScratchFolder scratch;
  {
    ResultFolder folder(scratch.path() / "a" / "b" / "out");
    write_text_file(folder.path() / "run.json", "{}");
  }
  EXPECT_EQ(entries(scratch.path()), 0u);
}

// Catches results mixed from two runs: an earlier folder is replaced as a whole, at commit only.
TEST(ResultFolder, ReplacesAnEarlierResult) {
  const ScratchFolder scratch;
  const fs::path place = scratch.path() / "out";
  fs::create_directory(place);
  write_text_file(place / "run.json", "old");
  write_text_file(place / "stale.csv", "old");
  { const ResultFolder abandoned(place); }
  EXPECT_EQ(contents(place / "run.json"), "old");
  ResultFolder folder(place.string() + "/");
  write_text_file(folder.path() / "run.json", "new");
  folder.commit();
  EXPECT_EQ(contents(place / "run.json"), "new");
  EXPECT_FALSE(fs::exists(place / "stale.csv"));
  EXPECT_EQ(entries(scratch.path()), 1u);
}

// Catches the deletion of somebody else's files.
TEST(ResultFolder, RefusesWhatIsNotOurs) {
  const ScratchFolder scratch;
  const fs::path foreign = scratch.path() / "thesis";
  fs::create_directory(foreign);
  { const ResultFolder empty_is_fine(foreign); }
  write_text_file(foreign / "chapter1.tex", "years of work");
  EXPECT_THROW(ResultFolder{foreign}, InputError);
  EXPECT_THROW(ResultFolder{foreign / "chapter1.tex"}, InputError);
  EXPECT_THROW(ResultFolder{foreign / "chapter1.tex" / "below"}, InputError);
  EXPECT_THROW(ResultFolder{"/proc/nothing-can-be-written-here"}, InputError);
  EXPECT_THROW(ResultFolder{""}, InputError);
  EXPECT_EQ(contents(foreign / "chapter1.tex"), "years of work");
  EXPECT_EQ(entries(scratch.path()), 1u);
}

// Catches labels that escape the folder, hide, or overwrite one another or summary.csv.
TEST(ResultFolder, MakesLabelsSafe) {
  EXPECT_EQ(safe_file_name("mlfq:base_quantum_ms=30,ratio=2.5"),
            "mlfq-base_quantum_ms=30-ratio=2.5");
  EXPECT_EQ(safe_file_name("../../etc/passwd"), "-.-..-etc-passwd");
  EXPECT_EQ(safe_file_name(""), "-");
  EXPECT_EQ(safe_file_name(std::string(500, 'x')).size(), 150u);
  const std::vector<std::string> expected = {"a-b", "a-b-2", "A-B-3", "summary.csv-2", "plots-2"};
  EXPECT_EQ(safe_file_names({"a:b", "a b", "A-B", "summary.csv", "plots"}), expected);
}

}  // namespace
}  // namespace tokenyard
