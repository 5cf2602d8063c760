#include "experiments/report/report.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "experiments/cli/report_command.hpp"
#include "experiments/record/requests_csv.hpp"
#include "experiments/record/result_folder.hpp"
#include "experiments/record/summary.hpp"
#include "experiments/report/gnuplot.hpp"
#include "experiments/report/html.hpp"
#include "experiments/report/html_tables.hpp"
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
  const std::vector<RequestGroup> groups = read_request_groups(files);
  ASSERT_EQ(groups.size(), 2u);
  ASSERT_EQ(groups[0].runs.size(), 1u);
  EXPECT_EQ(groups[0].runs[0].finished.size(), 20u);
  EXPECT_EQ(groups[0].runs[0].rejected, 1);
  EXPECT_EQ(groups[1].label, "srpt (clairvoyant)");
  EXPECT_EQ(groups[1].runs.size(), 2u);
  const RequestSample& second = groups[0].runs[0].finished[1];
  EXPECT_EQ(second.arrival_s, 0.05);
  EXPECT_EQ(second.jct_s, 0.23);
  EXPECT_FLOAT_EQ(second.ttft_s, 0.12F);
  EXPECT_FLOAT_EQ(second.ran_s, 0.13F);
  EXPECT_EQ(second.prompt_tokens, 100u);
  EXPECT_EQ(second.output_tokens, 10u);
}

// Catches a page that needs the network or scripts, lets text through as markup, or lacks a part.
TEST(Report, WritesOnePageThatStandsAlone) {
  if (!gnuplot_available()) GTEST_SKIP() << "gnuplot is not installed";
  const ScratchFolder scratch;
  make_results(scratch.path());
  const auto written = write_report(scratch.path());
  for (const auto& file : written) EXPECT_GT(fs::file_size(scratch.path() / file), 0u) << file;
  EXPECT_EQ(written.size(), 6 * 4 + 1u);
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
  const std::string pdf = contents(scratch.path() / "plots/jct_cdf.pdf");
  EXPECT_THAT(pdf, HasSubstr("/CreationDate (D:19700101000000"));
  EXPECT_THAT(page, HasSubstr("Before you trust it"));
  EXPECT_EQ(written, write_report(scratch.path())) << "a second report must replace the first";
  EXPECT_EQ(page, contents(scratch.path() / "report.html"));
  EXPECT_EQ(pdf, contents(scratch.path() / "plots/jct_cdf.pdf"));
}

// Would catch: a change with the wrong sign, or with a minus before nothing.
TEST(Report, TellsTheChangeOfTheMean) {
  std::vector<Summary> summaries;
  const auto add = [&](const char* series, std::uint64_t seed, double mean) {
    Summary& summary = summaries.emplace_back();
    summary.key.label = summary.key.series = series;
    summary.key.seed = seed;
    summary.values = {{"mean_jct_s", mean}};
  };
  for (const std::uint64_t seed : {1U, 2U}) {
    const auto base = static_cast<double>(1000 * seed);
    add("base", seed, base);
    add("same", seed, base - 0.0001 * base);
    add("half", seed, base / 2);
  }
  const std::string table = interval_html(summaries);
  EXPECT_THAT(table, HasSubstr("+0.0 % <span class=\"pm\">± 0.0 %"));
  EXPECT_THAT(table, HasSubstr("<td>-50.0 % "));
  EXPECT_THAT(table, Not(HasSubstr("-0.0 %")));
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
  const std::string kHead =
      "status,jct_s,arrival_s,ttft_s,tpot_s,prefill_s,decode_s,prompt_tokens,output_tokens,"
      "tenant\n";
  const fs::path requests = scratch.path() / "srpt-seed=2" / "requests.csv";
  write_text_file(requests, kHead + "finished,,0,1,,1,1,9,9,\n");
  EXPECT_THAT(message(), HasSubstr("requests.csv:2: jct_s: '' is not a number"));
  write_text_file(requests, kHead + "finished,-1,0,1,,1,1,9,9,\n");
  EXPECT_THAT(message(), HasSubstr("requests.csv:2: jct_s: '-1' is negative"));
  write_text_file(requests, kHead + "lost,1,0,1,,1,1,9,9,\n");
  EXPECT_THAT(message(), HasSubstr("requests.csv:2: status: 'lost' is none of"));
  write_text_file(scratch.path() / "summary.csv", "label\n");
  EXPECT_THAT(message(), HasSubstr("summary.csv:1: policy: the column is missing"));
  EXPECT_FALSE(fs::exists(scratch.path() / "plots"));
  EXPECT_THROW(write_report("/no/such/folder"), InputError);
}

// Would catch: goodput over the wrong time or with the wrong bounds, and a sweep without cells that
// gets an empty column. By hand: requests 0 to 9 of <fcfs> wait 0, 0.1, … 0.9 s, their TTFT is 0.02
// more, and 10 of 20 have at most 0.92.
TEST(Report, ShowsGoodput) {
  if (!gnuplot_available()) GTEST_SKIP() << "gnuplot is not installed";
  const ScratchFolder scratch;
  make_results(scratch.path());
  write_report(scratch.path(), {parse_latency_bound("ttft_s<=0.93")});
  const double duration_s = *read_result_folder(scratch.path()).summaries[0].value("duration_s");
  const std::string page = contents(scratch.path() / "report.html");
  EXPECT_THAT(page, HasSubstr("ttft_s&lt;=0.93"));
  EXPECT_THAT(page, HasSubstr(fmt::format("<td>{:.3f}</td>", 10 / duration_s)));
}

// Catches arguments that are dropped or guessed in silence.
TEST(Report, CommandRefusesWrongUsage) {
  EXPECT_THROW(run_report_command({}), InputError);
  EXPECT_THROW(run_report_command({"a", "b"}), InputError);
  EXPECT_THROW(run_report_command({"--qui", "a"}), InputError);
  EXPECT_THROW(run_report_command({"a", "--slo", "p99_jct_s<=1"}), InputError);
  EXPECT_EQ(run_report_command({"--help"}), 0);
}

}  // namespace
}  // namespace tokenyard
