#include "experiments/report/report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "experiments/cli/report_command.hpp"
#include "experiments/record/requests_csv.hpp"
#include "experiments/record/result_folder.hpp"
#include "experiments/record/summary.hpp"
#include "experiments/report/gnuplot.hpp"
#include "experiments/report/html.hpp"
#include "experiments/report/plots.hpp"
#include "experiments/report/result_reader.hpp"
#include "sim/kernel/input_error.hpp"
#include "tests/experiments/made_up.hpp"

namespace tokenyard {
namespace {

namespace fs = std::filesystem;
using made_up::contents;
using made_up::ScratchFolder;
using testing::HasSubstr;
using testing::Not;

/// A result folder as `run` writes it: two policies, two seeds of the second.
void make_results(const fs::path& folder) {
  std::vector<Summary> summaries;
  const auto add = [&](const SummaryKey& key, const std::string& name, std::int64_t scale) {
    fs::create_directories(folder / name);
    std::ofstream out(folder / name / "requests.csv");
    RequestsCsv requests_csv(out, name);
    RecorderOptions options;
    options.requests_csv = &requests_csv;
    Recorder recorder(options);
    for (std::uint32_t id = 0; id < 20; ++id) {
      recorder.ended(made_up::finished(id, 50 * id, scale * id, 20, 100 + 10 * id, 10));
    }
    recorder.ended(made_up::rejected(20, 1));
    recorder.finish();
    summaries.push_back(summarize(key, recorder));
  };
  add({"<fcfs>", "<fcfs>", "<fcfs>", "", 1, false}, "-fcfs-", 100);
  add({"srpt seed=1", "srpt", "srpt", "", 1, true}, "srpt-seed=1", 10);
  add({"srpt seed=2", "srpt", "srpt", "", 2, true}, "srpt-seed=2", 20);
  write_text_file(folder / "summary.csv", summary_csv(summaries));
  write_text_file(folder / "run.json", R"({"version":"0.1.0","settings":{"note":"<&>"}})");
}

// Catches a reader that disagrees with the writers, and seeds that are not pooled.
TEST(Report, ReadsWhatRunWrites) {
  const ScratchFolder scratch;
  make_results(scratch.path());
  const ResultFiles files = read_result_folder(scratch.path());
  ASSERT_EQ(files.summaries.size(), 3u);
  EXPECT_EQ(files.summaries[0].key.label, "<fcfs>");
  EXPECT_EQ(files.summaries[2].key.series, "srpt");
  EXPECT_EQ(files.summaries[0].value("rejected"), 1);
  EXPECT_FALSE(files.summaries[0].value("mean_slowdown"));
  ASSERT_EQ(files.jct.size(), 2u);
  EXPECT_EQ(files.jct[0].values.size(), 20u);
  EXPECT_EQ(files.jct[1].label, "srpt (clairvoyant)");
  EXPECT_EQ(files.jct[1].values.size(), 40u);
  EXPECT_EQ(files.jct[0].values[1], 0.23);
}

// Catches a page that needs the network or scripts, lets text through as markup, or lacks a part.
TEST(Report, WritesOnePageThatStandsAlone) {
  if (!gnuplot_available()) GTEST_SKIP() << "gnuplot is not installed";
  const ScratchFolder scratch;
  make_results(scratch.path());
  const auto written = write_report(scratch.path());
  for (const auto& file : written) EXPECT_GT(fs::file_size(scratch.path() / file), 0u) << file;
  EXPECT_EQ(written.size(), 7u);
  const std::string page = contents(scratch.path() / "report.html");
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, Not(HasSubstr("src=")));
  EXPECT_THAT(page, Not(HasSubstr("<fcfs>")));
  EXPECT_THAT(page, Not(HasSubstr("<?xml")));
  EXPECT_THAT(page, HasSubstr("&lt;fcfs&gt;"));
  EXPECT_THAT(page, HasSubstr("&lt;&amp;&gt;"));
  EXPECT_THAT(page, HasSubstr("clairvoyant"));
  EXPECT_THAT(page, HasSubstr("id='jct_cdf_gpDot'"));
  EXPECT_THAT(page, HasSubstr("id='jct_ccdf_gpDot'"));
  EXPECT_THAT(page, HasSubstr("kv_utilization_mean"));
  EXPECT_EQ(written, write_report(scratch.path())) << "a second report must replace the first";
  EXPECT_EQ(page, contents(scratch.path() / "report.html"));
}

// Catches reports on folders that are not results, and messages that do not name the place.
TEST(Report, RefusesOtherAndDamagedFolders) {
  const ScratchFolder scratch;
  const auto message = [&] {
    try {
      write_report(scratch.path());
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_THAT(message(), HasSubstr("is no result folder"));
  make_results(scratch.path());
  fs::remove(scratch.path() / "srpt-seed=2" / "requests.csv");
  EXPECT_THAT(message(), HasSubstr("srpt-seed=2/requests.csv: cannot be read"));
  write_text_file(scratch.path() / "srpt-seed=2" / "requests.csv", "status,jct_s\nfinished,\n");
  EXPECT_THAT(message(), HasSubstr("requests.csv:2: jct_s: '' is not a number"));
  write_text_file(scratch.path() / "srpt-seed=2" / "requests.csv", "status,jct_s\nlost,1\n");
  EXPECT_THAT(message(), HasSubstr("requests.csv:2: status: 'lost' is none of"));
  write_text_file(scratch.path() / "summary.csv", "label\n");
  EXPECT_THAT(message(), HasSubstr("summary.csv:1: policy: the column is missing"));
  EXPECT_FALSE(fs::exists(scratch.path() / "plots"));
  EXPECT_THROW(write_report("/no/such/folder"), InputError);
}

// Catches arguments that are dropped or guessed in silence.
TEST(Report, CommandRefusesWrongUsage) {
  EXPECT_THROW(run_report_command({}), InputError);
  EXPECT_THROW(run_report_command({"a", "b"}), InputError);
  EXPECT_THROW(run_report_command({"--qui", "a"}), InputError);
  EXPECT_EQ(run_report_command({"--help"}), 0);
}

}  // namespace
}  // namespace tokenyard
