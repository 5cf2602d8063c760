#include "experiments/study/study.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "experiments/report/gnuplot.hpp"
#include "experiments/report/published.hpp"
#include "experiments/study/study_lines.hpp"
#include "experiments/sweep/cells.hpp"
#include "sim/kernel/input_error.hpp"
#include "tests/experiments/sweep_calls.hpp"

namespace tokenyard::sweeps {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kSmall = R"({
  "trace": {"requests": 40, "arrivals": "poisson:rate=2", "lengths": "alpaca-like"},
  "policies": ["fcfs", "srpt"], "request_rates": [1, 50], "seeds": 3,
  "options": {"model": "opt-13b", "device": "a100-40g", "max-num-seqs": 2}})";
constexpr const char* kStudy = R"json({
  "title": "A <paper>", "source": "Somebody", "notes": ["First & foremost."],
  "figures": [
    {"name": "mean", "title": "Mean", "plans": ["small.json"],
     "metric": "mean_normalized_latency_s", "published": "points.csv", "bound": 0.05,
     "lines": {"fcfs": "FCFS", "srpt (clairvoyant)": "SRPT"},
     "ratios": [{"of": "SRPT", "to": "FCFS", "published": 1.5, "range": [0.5, 30]}]},
    {"name": "memory", "title": "Memory", "plans": ["small.json"], "table": ["kv_waste_mean"]},
    {"name": "later", "title": "Later", "plans": ["small.json"], "metric": "p95_jct_s",
     "slow": true}]})json";
constexpr const char* kPoints =
    "label,request_rate,mean_normalized_latency_s,source\nFCFS,1,0.04,here\nFCFS,50,2,\n"
    "Other,1,0.03,\n";

class Studies : public SweepCalls {
 protected:
  void SetUp() override {
    fs::create_directory(path("paper"));
    write("paper/small.json", kSmall);
    write("paper/points.csv", kPoints);
    write("paper/study.json", kStudy);
  }

  /// The message of a study in which `from` is replaced by `to`.
  std::string refusal(const std::string& from, const std::string& to) {
    std::string text = kStudy;
    text.replace(text.find(from), from.size(), to);
    write("paper/study.json", text);
    try {
      read_study(path("paper"));
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  }
};

// Would catch: a page without the published points, our lines, their crossings, the ratio or its
// verdict; text let through as markup; a slow figure that is run unasked; a second run that
// computes again what is there.
TEST_F(Studies, MakeOnePage) {
  if (!gnuplot_available()) GTEST_SKIP() << "gnuplot is not installed";
  ASSERT_EQ(call("tokenyard reproduce paper --out r"), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("small.json: 12 cells, 0 of them were there already"));
  const std::string page = contents(path("r/report.html"));
  for (const char* part :
       {"A &lt;paper&gt;", "First &amp; foremost.", "FCFS (published)", "Other (published)",
        "<h2>Ratios</h2>", "Mean: SRPT : FCFS", "<td>1.5</td><td>0.5–30</td><td>yes</td>",
        "kv waste mean", "Later (<code>--figure later</code>, takes minutes)"}) {
    EXPECT_THAT(page, HasSubstr(part));
  }
  EXPECT_THAT(page, Not(HasSubstr("<paper>")));
  const std::string data = contents(path("r/plots/mean.csv"));
  EXPECT_THAT(data, HasSubstr("FCFS (published),50,2,"));
  EXPECT_THAT(data, HasSubstr("SRPT,50,"));
  EXPECT_FALSE(fs::exists(path("r/plots/later.png")));
  ASSERT_EQ(call("tokenyard reproduce paper --out r --figure later"), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("12 of them were there already"));
  EXPECT_TRUE(fs::exists(path("r/plots/later.png")));
}

// Would catch: results of others that are written over, and wrong names that are not told of.
TEST_F(Studies, RefuseWhatIsNotTheirs) {
  fs::create_directory(path("mine"));
  write("mine/notes.txt", "keep");
  EXPECT_EQ(call("tokenyard reproduce paper --out mine"), 2);
  EXPECT_THAT(err_, HasSubstr("holds no study's results"));
  EXPECT_EQ(call("tokenyard reproduce paper --figure meen"), 2);
  EXPECT_THAT(err_, HasSubstr("mean"));
  EXPECT_EQ(call("tokenyard reproduce fastserv"), 2);
  EXPECT_THAT(err_, HasSubstr("fastserve"));
}

// Would catch: a study that is read with a fault in it, or refused without saying where.
TEST_F(Studies, RefuseFaultsByName) {
  EXPECT_THAT(refusal("\"mean\"", "\"a-b\""), HasSubstr("study.json:4: /figures/0/name"));
  EXPECT_THAT(refusal("small.json", "none.json"), HasSubstr("/figures/0/plans: 'none.json'"));
  EXPECT_THAT(refusal("small.json", "../paper/small.json"), HasSubstr("/figures/0/plans"));
  EXPECT_THAT(refusal("mean_normalized", "mean_normalised"), HasSubstr("is no metric"));
  EXPECT_THAT(refusal("\"bound\": 0.05,", ""), HasSubstr("/ratios: need a \"bound\""));
  EXPECT_THAT(refusal("[0.5, 30]", "[30, 0.5]"), HasSubstr("is no [least, most]"));
  EXPECT_THAT(refusal("\"table\": [\"kv_waste_mean\"]", "\"y_most\": 1"),
              HasSubstr("expected either a metric"));
  EXPECT_THAT(refusal("\"memory\"", "\"mean\""), HasSubstr("/figures/1/name: is given twice"));
  EXPECT_THAT(refusal("\"slow\"", "\"slo\""), HasSubstr("slow"));
}

// Would catch: lines that are silently missing, and variants whose number is read from nowhere.
TEST_F(Studies, LinesAreNamedAndPlaced) {
  std::vector<Summary> rows(2);
  rows[0].key = {"io=4 fcfs seed=1", "io=4 fcfs", "fcfs", "", 1, false, "io=4", std::nullopt};
  rows[1].key = {"io=8 fcfs seed=1", "io=8 fcfs", "fcfs", "", 1, false, "io=8", std::nullopt};
  rows[0].values = {{"mean_jct_s", 2.0}};
  rows[1].values = {{"mean_jct_s", 3.0}};
  StudyFigure figure;
  figure.name = "f";
  figure.variant_axis = "io";
  const auto lines = study_lines(figure, rows, "mean_jct_s");
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].label, "fcfs");
  EXPECT_EQ(lines[0].values.at(8).at(1), 3);
  figure.lines = {{"srpt", "SRPT"}};
  EXPECT_THROW(study_lines(figure, rows, "mean_jct_s"), InputError);
  figure.lines = {{"fcfs", "FCFS"}};
  EXPECT_EQ(study_lines(figure, rows, "mean_jct_s")[0].label, "FCFS");
  rows[1].key = rows[0].key;
  EXPECT_THROW(study_lines(figure, rows, "mean_jct_s"), InputError) << "one point twice";
  figure.variant_axis = "ratio";
  EXPECT_THROW(study_lines(figure, rows, "mean_jct_s"), InputError);
}

// Would catch: points that are taken from a file which is not what it should be.
TEST_F(Studies, PublishedPointsAreReadStrictly) {
  const auto faulty = [this](const std::string& text) {
    write("p.csv", text);
    try {
      read_published(path("p.csv"));
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ(faulty("label,x,mean_jct_s\na,1,2\na,2,\nb,1,3\n"), "");
  EXPECT_THAT(faulty("label,x,mean_jct_s\na,1,2\na,1,3\n"), HasSubstr("is not above"));
  EXPECT_THAT(faulty("label,x,mean_jct_s\na,1,two\n"), HasSubstr("is not a number"));
  EXPECT_THAT(faulty("label,x,latency\na,1,2\n"), HasSubstr("no column is named like"));
  EXPECT_THAT(faulty("label,mean_jct_s\na,1\n"), HasSubstr("begins with a column 'label'"));
}

// Would catch: points that `report` leaves out of a sweep's plot, or takes for runs without rates.
TEST_F(Studies, ReportsSetPublishedPointsBesideASweep) {
  if (!gnuplot_available()) GTEST_SKIP() << "gnuplot is not installed";
  write("p.csv", "label,request_rate,mean_normalized_latency_s\nfcfs,1,0.04\n");
  ASSERT_EQ(call("tokenyard sweep paper/small.json --out s --quiet && "
                 "tokenyard report s --published p.csv"),
            0)
      << err_;
  EXPECT_THAT(contents(path("s/plots/latency_vs_rate.csv")), HasSubstr("fcfs (published),1,0.04,"));
  EXPECT_THAT(contents(path("s/report.html")), HasSubstr("fcfs (published)"));
  ASSERT_EQ(call("tokenyard run '{\"requests\":5,\"arrivals\":\"poisson:rate=1\",\"lengths\":"
                 "\"alpaca-like\"}' fcfs --model opt-13b --device a100-40g --out one && "
                 "tokenyard report one --published p.csv"),
            2);
  EXPECT_THAT(err_, HasSubstr("goes with a sweep over request rates"));
}

// Would catch: a study of the repository that no longer reads, or one of whose plans does not.
TEST_F(Studies, ThoseOfTheRepositoryAreGood) {
  for (const std::string& name : study_names()) {
    const Study study = read_study(find_study(name));
    for (const StudyFigure& figure : study.figures) {
      if (!figure.published.empty()) {
        EXPECT_FALSE(read_published(study.folder / figure.published).lines.empty());
      }
      for (const std::string& plan : figure.plans) {
        const auto cells = cells_of(read_sweep_plan((study.folder / plan).string()), std::nullopt);
        EXPECT_FALSE(cells.empty()) << plan;
      }
    }
  }
  EXPECT_FALSE(study_names().empty());
}

}  // namespace
}  // namespace tokenyard::sweeps
