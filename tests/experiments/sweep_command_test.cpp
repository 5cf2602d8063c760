// `tokenyard sweep` as users call it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "experiments/record/summary.hpp"
#include "experiments/report/gnuplot.hpp"
#include "experiments/report/result_csv.hpp"
#include "experiments/report/result_reader.hpp"
#include "tests/experiments/sweep_calls.hpp"

namespace tokenyard {
namespace {

namespace fs = std::filesystem;
using made_up::contents;
using sweeps::kPlan;
using testing::HasSubstr;

class SweepCommand : public sweeps::SweepCalls {};

// Would catch: a command line that does not reproduce its cell (an option lost, a word that the
// shell takes apart, another seed), a cell that is computed again, rows in another order, and files
// that differ from those of a sweep that ran everything itself.
TEST_F(SweepCommand, ListedCommandsReproduceTheCells) {
  write("p.json", kPlan);
  ASSERT_EQ(call("tokenyard sweep p.json --quiet --keep-cells --out s"), 0) << err_;
  ASSERT_EQ(call("tokenyard sweep p.json --list-cells --out t"), 0) << err_;
  auto commands = lines(out_);
  ASSERT_EQ(commands.size(), 16U);
  EXPECT_FALSE(fs::exists(path("t"))) << "listing runs nothing";
  std::reverse(commands.begin(), commands.end());  // the order is nobody's business
  commands.push_back(commands.front());            // and once more does no harm
  for (const std::string& command : commands) {
    ASSERT_EQ(call(command + " --quiet"), 0) << command << err_;
  }
  EXPECT_EQ(files("t", Part::cells), files("s", Part::cells));
  ASSERT_EQ(call("tokenyard sweep p.json --keep-cells --out t"), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("16 of 16 cells were there already\n"));
  EXPECT_EQ(files("t"), files("s"));
  EXPECT_EQ(files("t").size(), 4 + 16U) << "each cell's requests.csv";
}

// Would catch: variants that come to the same and are run twice, are told of as done before, or
// leave a row out.
TEST_F(SweepCommand, CellsThatAreTheSameRunAreRunOnce) {
  write("p.json",
        R"({"trace":{"requests":20,"arrivals":"poisson:rate=2","lengths":"sharegpt-like"},)"
        R"("policies":["fcfs","srpt"],"options":{"model":"opt-13b","device":"a100-40g"},)"
        R"("variants":{"plain":{},"spelled-out":{"block-size":16},"few":{"max-num-seqs":2}}})");
  const char* const note =
      "note: 2 of 6 cells are the same run as an earlier one, e.g. 'spelled-out fcfs' as "
      "'plain fcfs'; it is made once\n";
  ASSERT_EQ(call("tokenyard sweep p.json --out s"), 0) << err_;
  EXPECT_THAT(out_, HasSubstr(note));
  EXPECT_EQ(out_.find("were there already"), std::string::npos);
  EXPECT_EQ(cells("s").size(), 4U);
  EXPECT_EQ(lines(contents(path("s/summary.csv"))).size(), 1 + 6U);
  ASSERT_EQ(call("tokenyard sweep p.json --out s"), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("4 of 4 cells were there already\n"));
}

// Would catch: a grid that fills the memory before anything is said.
TEST_F(SweepCommand, AGridOfMillionsIsRefused) {
  write("p.json",
        R"({"trace":{"requests":20,"arrivals":"poisson:rate=2","lengths":"sharegpt-like"},)"
        R"("policies":["fcfs","srpt","mlfq"],"request_rates":[1,2,3,4],"seeds":100000,)"
        R"("options":{"model":"opt-13b","device":"a100-40g"}})");
  EXPECT_EQ(call("tokenyard sweep p.json --out s"), 2);
  EXPECT_EQ(err_, "tokenyard: p.json: 1200000 cells, more than 1000000\n");
}

// Would catch: a bound that is lost between the cell, the sweep's table and its report, differs
// between policies, between threads and listed commands or from that of `run`, and a cell without
// bound that is taken for one with.
TEST_F(SweepCommand, SetsEachMeanBesideItsBound) {
  const std::string plan =
      R"({"trace":{"requests":80,"arrivals":"poisson:rate=1","lengths":"sharegpt-like"},)"
      R"("policies":["fcfs","srpt"],"request_rates":[1,3],"seeds":2,"options":{"model":"opt-13b",)"
      R"("device":"a100-40g","max-num-seqs":8,"bound":)";
  write("p.json", plan + "false}}");
  ASSERT_EQ(call("tokenyard sweep p.json --out s"), 0) << err_;
  EXPECT_FALSE(ResultCsv(path("s/summary.csv")).has_column(kBoundName));
  EXPECT_EQ(out_.find("bound"), std::string::npos);
  write("p.json", plan + "true}}");
  ASSERT_EQ(call("tokenyard sweep p.json --jobs 2 --out s"), 0) << err_;
  EXPECT_EQ(out_.find("were there already"), std::string::npos);
  EXPECT_THAT(out_, HasSubstr("JCT vs"));
  EXPECT_EQ(out_.find("no schedule of these"), std::string::npos) << "a note each cell is too much";
  ASSERT_EQ(call("tokenyard sweep p.json --list-cells --out t"), 0) << err_;
  for (const std::string& command : lines(out_)) ASSERT_EQ(call(command + " --quiet"), 0) << err_;
  ASSERT_EQ(call("tokenyard sweep p.json --out t --quiet"), 0) << err_;
  EXPECT_EQ(files("t"), files("s"));

  const ResultFiles results = read_result_folder(path("s"));
  ASSERT_EQ(results.summaries.size(), 8U);
  std::map<std::pair<double, std::uint64_t>, std::set<double>> bounds;
  for (const Summary& each : results.summaries) {
    ASSERT_TRUE(each.lower_bound_mean_jct_s) << each.key.label;
    EXPECT_LE(*each.lower_bound_mean_jct_s, *each.value("mean_jct_s")) << each.key.label;
    bounds[{*each.key.request_rate, each.key.seed}].insert(*each.lower_bound_mean_jct_s);
  }
  EXPECT_EQ(bounds.size(), 4U);
  for (const auto& [cell, values] : bounds) EXPECT_EQ(values.size(), 1U);
  write("w.json", R"({"requests":80,"arrivals":"poisson:rate=1","lengths":"sharegpt-like"})");
  ASSERT_EQ(call("tokenyard run w.json fcfs --seed 2 --request-rate 3 --model opt-13b "
                 "--device a100-40g --max-num-seqs 8 --bound --out r"),
            0)
      << err_;
  EXPECT_EQ(read_result_folder(path("r")).summaries.front().lower_bound_mean_jct_s,
            *bounds.at({3, 2}).begin());
  if (!gnuplot_available()) return;
  for (const char* folder : {"s", "r"}) {
    ASSERT_EQ(call(std::string("tokenyard report ") + folder), 0) << err_;
    const std::string page = contents(path(std::string(folder) + "/report.html"));
    EXPECT_THAT(page, HasSubstr("mean JCT / lower bound"));
    EXPECT_THAT(page, HasSubstr(kBoundName));
  }
}

// Would catch: cells that are one and the same by content, carried out at the same time in one
// place.
TEST_F(SweepCommand, CarriesOutEqualCellsOnce) {
  std::string plan = R"({"trace":{"requests":200,"arrivals":"poisson:rate=2","lengths":)"
                     R"("sharegpt-like"},"policies":["fcfs"],"options":{"model":"opt-13b",)"
                     R"("device":"a100-40g"},"variants":{"v0":{})";
  for (int i = 1; i < 12; ++i) plan += ",\"v" + std::to_string(i) + "\":{}";
  write("p.json", plan + "}}");
  ASSERT_EQ(call("tokenyard sweep p.json --jobs 4 --out s"), 0) << err_;
  EXPECT_EQ(cells("s").size(), 1U);
  EXPECT_EQ(read_result_folder(path("s")).summaries.size(), 12U);
}

// Would catch: a listed command that writes under a name which is not its own any more.
TEST_F(SweepCommand, ListedCommandsRefuseWhatHasChanged) {
  write("t.csv", "id,arrival_ns,input_tokens,output_tokens\na,0,9,5\n");
  write("p.json", R"({"trace":"t.csv","policies":["fcfs"],)"
                  R"("options":{"model":"opt-13b","device":"a100-40g"}})");
  ASSERT_EQ(call("tokenyard sweep p.json --list-cells --out s"), 0) << err_;
  const std::string command = lines(out_).front();
  write("t.csv", "id,arrival_ns,input_tokens,output_tokens\na,0,9,6\n");
  EXPECT_EQ(call(command), 2);
  EXPECT_THAT(err_, HasSubstr("trace, settings or program are not those that were listed"));
  EXPECT_TRUE(cells("s").empty());
  EXPECT_EQ(call("tokenyard run t.csv fcfs --model opt-13b --device a100-40g --cell"), 2);
  EXPECT_THAT(err_, HasSubstr("--cell goes with --out"));
}

// Would catch: anything in a sweep's files that depends on more than its plan, files that are
// missing, and columns that are moved or given twice.
TEST_F(SweepCommand, SamePlanSameBytes) {
  write("p.json", kPlan);
  ASSERT_EQ(call("tokenyard sweep p.json --quiet --out a"), 0) << err_;
  EXPECT_EQ(out_ + err_, "");
  ASSERT_EQ(call("tokenyard sweep p.json --quiet --out b"), 0) << err_;
  const auto first = files("a");
  EXPECT_EQ(first, files("b"));
  EXPECT_EQ(first.size(), 4U) << "summary.csv, summary_ci.csv, run.json, plan.json";
  EXPECT_EQ(first.at("plan.json"), kPlan);
  EXPECT_THAT(first.at("run.json"), HasSubstr("\"command\": \"sweep\""));
  const auto rows = lines(first.at("summary.csv"));
  ASSERT_EQ(rows.size(), 17U);
  EXPECT_THAT(rows[0], testing::StartsWith("variant,system,policy,request_rate,seed,label,"
                                           "requests,completed,rejected,duration_s,"));
  EXPECT_THAT(rows[1], testing::StartsWith("recompute,,fcfs,1,1,recompute fcfs rate=1 seed=1,60,"));
  EXPECT_THAT(rows[16], testing::StartsWith("it.swaps,,\"skip-join-mlfq:ratio=2,"
                                            "promote_after_ms=300\",4,2,"));
  auto heads = rows[0];
  std::replace(heads.begin(), heads.end(), ',', '\n');
  const auto names = lines(heads);
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size());
}

// Would catch: a result in the wrong place, a table without its rows, and output that is no JSON.
TEST_F(SweepCommand, WritesToOutByDefault) {
  write("tiny.json", kPlan);
  ASSERT_EQ(call("tokenyard sweep tiny.json --limit 4"), 0) << err_;
  EXPECT_TRUE(fs::exists(path("out/tiny/summary.csv")));
  EXPECT_EQ(lines(out_).back(), "results are in out/tiny");
  EXPECT_THAT(out_, HasSubstr("recompute fcfs rate=4 seed=2 "));
  EXPECT_THAT(contents(path("out/tiny/summary.csv")),
              HasSubstr("recompute fcfs rate=1 seed=1,4,4,"))
      << "four requests of the sixty";
  ASSERT_EQ(call("tokenyard sweep tiny.json --limit 4 --json"), 0) << err_;
  EXPECT_THAT(out_, testing::StartsWith("{\n"));
  EXPECT_THAT(out_, HasSubstr("\"variant\": \"it.swaps\",\n      \"request_rate\": 4,"));
}

// Would catch: bad plans and calls that are taken, say more or less than a line, or leave a folder.
TEST_F(SweepCommand, BadInputGetsOneLineAndLeavesNothing) {
  write("p.json", kPlan);
  write("typo.json", "{\"trace\": {},\n \"policy\": []}");
  write("files.json", R"({"trace":{"requests":4,"arrivals":"burst:","lengths":"alpaca-like"},)"
                      R"("policies":["fcfs"],"options":{"model":"opt-13b","device":"a100-40g",)"
                      R"("timeline":true}})");
  const std::pair<const char*, const char*> calls[] = {
      {"", "sweep: no PLAN given"},
      {"p.json q.json", "one PLAN is enough; what is 'q.json'?"},
      {"none.json", "none.json: cannot be read"},
      {"typo.json", "typo.json:1: /trace/requests: missing"},
      {"p.json --limit 0", "--limit: expected an integer"},
      {"p.json --jobs -1", "--jobs: expected an integer"},
      {"p.json --on mars", "--on: expected ray, found 'mars'"},
      {"files.json", "give --keep-cells"},
      {"files.json --list-cells", "give --out DIR"},
  };
  for (const auto& [words, message] : calls) {
    EXPECT_EQ(call(std::string("tokenyard sweep ") + words), 2) << words;
    EXPECT_THAT(err_, HasSubstr(message)) << words;
    EXPECT_EQ(lines(err_).size(), 1U) << err_;
    EXPECT_EQ(out_, "") << words;
    EXPECT_FALSE(fs::exists(path("out"))) << words;
  }
}

// Would catch: a fault that shows only in a later cell and leaves the earlier ones behind.
TEST_F(SweepCommand, LeavesNothingWhenACellFails) {
  write("t.csv", "id,arrival_ns,input_tokens,output_tokens\na,0,9,0\n");
  write("p.json", R"({"trace":"t.csv","policies":["fcfs"],"variants":{"a":{"zero":"clamp"},)"
                  R"("b":{"zero":"error"}},"options":{"model":"opt-13b","device":"a100-40g"}})");
  EXPECT_EQ(call("tokenyard sweep p.json --keep-cells"), 2);
  EXPECT_THAT(err_, HasSubstr("t.csv:2: output tokens: is zero"));
  EXPECT_FALSE(fs::exists(path("out")));
}

// Would catch: a report that does not know a sweep's folder, means over the wrong rows, and a
// ratio to a cell of another rate.
TEST_F(SweepCommand, ReportDrawsLatencyAgainstRate) {
  if (!gnuplot_available()) GTEST_SKIP() << "gnuplot is not installed";
  write("p.json", kPlan);
  ASSERT_EQ(call("tokenyard sweep p.json --quiet --keep-cells --out s"), 0) << err_;
  ASSERT_EQ(call("tokenyard report s"), 0) << err_;
  EXPECT_THAT(lines(out_), testing::ElementsAre(
                               "s/plots/latency_vs_rate.png", "s/plots/latency_vs_rate.svg",
                               "s/plots/latency_vs_rate.pdf", "s/plots/latency_vs_rate.csv",
                               "s/plots/throughput_vs_rate.png", "s/plots/throughput_vs_rate.svg",
                               "s/plots/throughput_vs_rate.pdf", "s/plots/throughput_vs_rate.csv",
                               "s/report.html"));
  const auto points = lines(contents(path("s/plots/latency_vs_rate.csv")));
  ASSERT_EQ(points.size(), 1 + 8U);
  EXPECT_THAT(points[1], testing::StartsWith("recompute fcfs,1,"));
  EXPECT_THAT(points[2], testing::StartsWith("recompute fcfs,4,"));
  EXPECT_THAT(contents(path("s/report.html")), HasSubstr("it.swaps fcfs rate=4 seed=2"));
  EXPECT_THAT(contents(path("s/report.html")), HasSubstr("<summary>plan.json</summary>"));
}

// Would catch: kept cells that the report does not read where there is nothing else to draw.
TEST_F(SweepCommand, ReportDrawsDistributionsWithoutRates) {
  if (!gnuplot_available()) GTEST_SKIP() << "gnuplot is not installed";
  write("p.json", R"({"trace":{"requests":20,"arrivals":"burst:","lengths":"alpaca-like"},)"
                  R"("policies":["fcfs","srpt"],"options":{"model":"opt-13b",)"
                  R"("device":"a100-40g"}})");
  ASSERT_EQ(call("tokenyard sweep p.json --quiet --keep-cells --out s"), 0) << err_;
  ASSERT_EQ(call("tokenyard report s"), 0) << err_;
  EXPECT_TRUE(fs::exists(path("s/plots/jct_cdf.png")));
  ASSERT_EQ(call("tokenyard sweep p.json --quiet --out s"), 0) << err_;
  ASSERT_EQ(call("tokenyard report s"), 0) << err_;
  EXPECT_THAT(lines(out_), testing::ElementsAre("s/report.html"));
}

}  // namespace
}  // namespace tokenyard
