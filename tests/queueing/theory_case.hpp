#pragma once
// A case of queueing theory as a test: the system, the policy, and how much to simulate.

#include <ostream>

#include "tests/queueing/replications.hpp"

namespace tokenyard::test {

/// Which form of the suite a run belongs to. The short one checks the means; the long one, with
/// more jobs and so a smaller error, the percentiles as well.
enum class Form { ordinary, slow };

struct TheoryCase {
  QueueSystem system;
  std::string policy;
  std::size_t jobs = 0;       ///< a replication, in the ordinary form; 0 = not in it
  std::size_t slow_jobs = 0;  ///< a replication, in the long form
  Form form = Form::ordinary;
};

inline void PrintTo(const TheoryCase& c, std::ostream* out) {
  *out << c.system.id << " under " << c.policy;
}

inline std::vector<TheoryCase> in_form(Form form, std::vector<TheoryCase> cases) {
  if (form == Form::ordinary) std::erase_if(cases, [](const auto& c) { return c.jobs == 0; });
  for (TheoryCase& c : cases) c.form = form;
  return cases;
}

/// "S23 under mlfq:ratio=1,…" as "S23_mlfq_ratio_1_…".
inline std::string case_name(const testing::TestParamInfo<TheoryCase>& info) {
  std::string name = info.param.system.id + "_" + info.param.policy;
  for (char& c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  }
  return name;
}

/// Runs the case and compares each row that its form covers.
inline void expect_theory(const TheoryCase& c) {
  constexpr std::uint64_t kReplications = 20;
  const bool slow = c.form == Form::slow;
  std::vector<Metric> metrics;
  for (const Oracle& row : kOracles) {
    if (row.id == c.system.id && (slow || row.metric != Metric::p99_t)) {
      metrics.push_back(row.metric);
    }
  }
  ASSERT_FALSE(metrics.empty()) << "nothing to compare";
  const Samples samples = replicate(c.system, [&c] { return make_policy(c.policy); }, metrics,
                                    {kReplications, slow ? c.slow_jobs : c.jobs});
  EXPECT_TRUE(samples.complete) << "a job did not finish";
  for (std::size_t i = 0; i < metrics.size(); ++i) {
    const auto verdict = meets(oracle(c.system.id, metrics[i]), estimate(samples.values[i]));
    EXPECT_TRUE(verdict);
    testing::Test::RecordProperty("metric_" + std::to_string(i), verdict.message());
  }
}

}  // namespace tokenyard::test
