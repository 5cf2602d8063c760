// What the plots of a report show, by hand.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "experiments/record/result_folder.hpp"
#include "experiments/report/goodput.hpp"
#include "experiments/report/size_plots.hpp"
#include "experiments/report/time_lines.hpp"
#include "experiments/report/warnings.hpp"
#include "sim/kernel/input_error.hpp"
#include "tests/experiments/made_up.hpp"

namespace tokenyard {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

RequestSample sample(double arrival_s, double jct_s, std::uint32_t output_tokens = 10,
                     std::uint32_t tenant = 0) {
  RequestSample request;
  request.arrival_s = arrival_s;
  request.jct_s = jct_s;
  request.ttft_s = static_cast<float>(jct_s / 2);
  request.tpot_s = static_cast<float>(jct_s / 20);
  request.ran_s = static_cast<float>(jct_s / 4);
  request.prompt_tokens = 100;
  request.output_tokens = output_tokens;
  request.tenant = tenant;
  return request;
}

RequestGroup group_of(const std::string& label, std::vector<std::vector<RequestSample>> runs) {
  RequestGroup group{label, {}, {""}};
  for (auto& finished : runs) group.runs.push_back({"", std::move(finished), 0, 0});
  return group;
}

// Would catch: classes that part equal sizes or differ between policies, and intervals over
// requests instead of runs. Of sizes 1, 1, 1, 8 twice, in two classes: all of 1, and 8.
TEST(SizePlots, ClassesByHand) {
  const std::vector<RequestGroup> groups = {
      group_of("a", {{sample(0, 1, 1), sample(0, 2, 1), sample(0, 3, 1), sample(0, 9, 8)},
                     {sample(0, 4, 1)}}),
      group_of("b", {{sample(0, 5, 8), sample(0, 7, 8), sample(0, 7, 1)}})};
  const auto size = [](const RequestSample& request) -> std::uint64_t {
    return request.output_tokens;
  };
  const auto jct = [](const RequestSample& request) { return request.jct_s; };
  const auto lines = by_size(groups, size, jct, 2);
  ASSERT_EQ(lines.size(), 2u);
  ASSERT_EQ(lines[0].points.size(), 2u);
  EXPECT_EQ(lines[0].points[0].x, 1);
  EXPECT_EQ(lines[0].points[0].y, 3);
  EXPECT_NEAR(*lines[0].points[0].half_width, 12.706, 1e-3);
  EXPECT_EQ(lines[0].points[1].x, 8);
  EXPECT_EQ(lines[0].points[1].y, 9);
  EXPECT_FALSE(lines[0].points[1].half_width);
  EXPECT_EQ(lines[1].points[1].y, 6);
  EXPECT_TRUE(
      by_size(std::vector<RequestGroup>{group_of("none", {{}})}, size, jct)[0].points.empty());
}

// Would catch: tenants mixed up between groups that number them differently.
TEST(SizePlots, TenantsByName) {
  RequestGroup a = group_of("a", {{sample(0, 1, 1, 0), sample(0, 3, 1, 1)}});
  RequestGroup b = group_of("b", {{sample(0, 5, 1, 0)}});
  a.tenants = {"x", "y"};
  b.tenants = {"y"};
  std::vector<std::string> names;
  const auto lines = by_tenant(
      std::vector<RequestGroup>{a, b}, [](const RequestSample& request) { return request.jct_s; },
      names);
  EXPECT_THAT(names, ElementsAre("x", "y"));
  EXPECT_EQ(lines[0].points[1].y, 3);
  ASSERT_EQ(lines[1].points.size(), 1u);
  EXPECT_EQ(lines[1].points[0].x, 1);
  EXPECT_EQ(lines[1].points[0].y, 5);
}

// Would catch: requests counted in bins where they are not, or as whole where they are half. In
// bins of 1 s: one in [0.5, 3), one in [1, 1.25).
TEST(TimeLines, RequestsInTheSystemByHand) {
  const auto group = group_of("a", {{sample(0.5, 2.5), sample(1, 0.25)}});
  EXPECT_EQ(bins_for({group}).end_s, 3);
  EXPECT_THAT(in_system(group.runs[0], {4, 4}), ElementsAre(0.5, 1.25, 1, 0));
}

// Would catch: averages over iterations instead of time, idle time left out, and levels that are
// not lists. In bins of 1 s: 4 waiting in [0, 1.5), 2 in [1.5, 2), nothing after.
TEST(TimeLines, IterationsByHand) {
  const made_up::ScratchFolder scratch;
  const auto file = scratch.path() / "iterations.csv";
  const std::string head = "start_s,duration_s,waiting,kv_blocks_used,level_requests\n";
  write_text_file(file, head + "0,1.5,4,10,1;2\n1.5,0.5,2,20,0;0;4\n");
  const TimeLine line = read_time_line(file, {3, 3});
  EXPECT_THAT(line.waiting, ElementsAre(4, 3, 0));
  EXPECT_THAT(line.kv_blocks_used, ElementsAre(10, 15, 0));
  ASSERT_EQ(line.levels.size(), 3u);
  EXPECT_THAT(line.levels[0], ElementsAre(1, 0.5, 0));
  EXPECT_THAT(line.levels[2], ElementsAre(0, 2, 0));
  write_text_file(file, head + "0,1,4,10,1;;2\n");
  EXPECT_THROW(read_time_line(file, {3, 3}), InputError);
  write_text_file(file, head + "0,-1,4,10,\n");
  EXPECT_THROW(read_time_line(file, {3, 3}), InputError);
}

// Would catch: bounds that are joined by "or", strict comparisons, and rules that are guessed.
TEST(Goodput, CountsWhoMeetsAllBounds) {
  const auto group = group_of("a", {{sample(0, 1), sample(0, 2), sample(0, 4)}});
  const auto within = [&](std::initializer_list<const char*> rules) {
    std::vector<LatencyBound> bounds;
    for (const char* rule : rules) bounds.push_back(parse_latency_bound(rule));
    return count_within(group.runs[0], bounds);
  };
  EXPECT_EQ(within({}), 3);
  EXPECT_EQ(within({"ttft_s<=1"}), 2);
  EXPECT_EQ(within({"ttft_s<=1", "tpot_s<=0.06"}), 1);
  EXPECT_EQ(within({"jct_s<=4"}), 3);
  EXPECT_EQ(within({"normalized_latency_s<=0.1"}), 1);
  for (const char* wrong : {"ttft_s", "ttft_s<1", "ttft_s<=", "ttft_s<=-1", "ttft_s<=1s", "ttft<=1",
                            "p99_ttft_s<=1", "ttft_s>=1"}) {
    EXPECT_THROW(parse_latency_bound(wrong), InputError) << wrong;
  }
}

// Would catch: a warning below saturation, and none above it. Arrivals every second; served one by
// one in 0.8 s, or in 1.25 s, where each waits a quarter longer than the one before.
TEST(Warnings, TellAGrowingBacklog) {
  RunSamples below, above;
  for (int i = 0; i < 200; ++i) {
    below.finished.push_back(sample(i, 0.8));
    above.finished.push_back(sample(i, 1.25 + 0.25 * i));
  }
  EXPECT_FALSE(backlog_grew(below));
  EXPECT_TRUE(backlog_grew(above));
  above.finished.resize(30);
  EXPECT_FALSE(backlog_grew(above)) << "thirty requests tell nothing";
}

// Would catch: the same said twice, or not at all of who has not said it.
TEST(Warnings, LeaveOutWhatTheRunHasSaid) {
  RequestGroup group = group_of("srpt (clairvoyant)", {{}});
  for (int i = 0; i < 200; ++i) group.runs[0].finished.push_back(sample(i, 1.25 + 0.25 * i));
  ResultFiles files;
  Summary summary;
  summary.key.label = summary.key.series = "srpt";
  files.summaries = {summary};
  files.notes = {"srpt@orca: no steady state: requests come faster than they are served"};
  EXPECT_THAT(report_warnings(files, {group}), testing::Contains(HasSubstr("The backlog grew")));
  files.notes = {"srpt: no steady state: requests come faster than they are served"};
  for (const char* label : {"srpt (clairvoyant)", "srpt"}) {
    group.label = label;
    EXPECT_THAT(report_warnings(files, {group}),
                testing::Not(testing::Contains(HasSubstr("The backlog grew"))));
  }
}

// Would catch: a page that is silent about what its numbers rest on.
TEST(Warnings, TellOfSeedsAndLostRequests) {
  ResultFiles files;
  Summary summary;
  summary.key.label = summary.key.series = "fcfs";
  summary.values = {{"requests", 200}, {"completed", 150}};
  files.summaries = {summary};
  files.notes = {"a note"};
  const auto warnings = report_warnings(files, {});
  ASSERT_EQ(warnings.size(), 4u);
  EXPECT_EQ(warnings[0], "a note");
  EXPECT_THAT(warnings[1], HasSubstr("no interval"));
  EXPECT_THAT(warnings[2], HasSubstr("fcfs 50 of 200"));
  EXPECT_THAT(warnings[3], HasSubstr("p99 of 150 requests rests on the 2 slowest"));
  Summary other = summary;
  other.key.label = "fcfs seed=2";
  other.key.seed = 2;
  files.summaries = {summary, other};
  for (Summary& each : files.summaries) each.values = {{"requests", 5000}, {"completed", 5000}};
  files.notes.clear();
  EXPECT_THAT(report_warnings(files, {}), ElementsAre());
}

}  // namespace
}  // namespace tokenyard
