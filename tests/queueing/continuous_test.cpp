// Policies of continuous time, reached by finer and finer tokens: SRPT, preemptive and
// non-preemptive SJF, processor sharing, least attained service (FB) and feedback queues.

#include "tests/queueing/continuous_queue.hpp"

namespace tokenyard::test {
namespace {

constexpr std::uint64_t kReplications = 40;

// A level lasts a token, which is the quantum when none is given.
const char kFb[] = "mlfq:ratio=1,order=arrival";
// Who was passed over once goes ahead, the longest ago first: a token each in turn.
const char kRoundRobin[] = "fcfs guarded by skips=1";
// Quanta of 0.5, 1 and 2 s: thresholds at 0.5, 1.5 and 3.5 s.
const char kFourLevels[] = "mlfq:base_quantum_ms=500,ratio=2,levels=4,order=arrival";
const char kTwoLevels[] = "mlfq:base_quantum_ms=1000,ratio=1,levels=2,order=arrival";

std::vector<ContinuousCase> cases(Form form) {
  const SizeLaw h2 = hyperexponential_law();
  const double bp_rate = 0.5613333333;
  std::vector<ContinuousCase> all{
      {"S06", 0.7, h2, sharing_server, "fcfs", 0.1, 4'000, 40'000},
      {"S06", 0.7, h2, token_server, kRoundRobin, 0.1, 0, 20'000},
      {"S07", 0.8, exponential_law(), token_server, "srpt", 0.1, 4'000, 40'000},
      // Heavy tails: a hundredth in the mean asks for more jobs than the ordinary form can afford.
      {"S08", bp_rate, bounded_pareto_law(), token_server, "srpt", 0.1, 0, 40'000},
      {"S09", 0.9, uniform_law(), token_server, "srpt", 0.1, 4'000, 40'000},
      {"S10", 0.7, h2, whole_size_server, "srpt", 0.1, 2'000, 20'000},
      {"S12", 0.8, exponential_law(), token_server, kFb, 0.1, 2'500, 20'000},
      {"S13", 0.8, h2, token_server, kFb, 0.1, 0, 20'000},
      {"S14", 0.8, uniform_law(), token_server, kFb, 0.1, 2'000, 20'000},
      {"S15", 0.8, h2, token_server, kTwoLevels, 0.1, 3'500, 40'000},
      {"S16", 0.8, h2, token_server, kFourLevels, 0.1, 3'500, 40'000},
  };
  if (form == Form::ordinary) std::erase_if(all, [](const auto& c) { return c.jobs == 0; });
  for (ContinuousCase& c : all) {
    c.form = form;
    // What two halvings leave is of second order: with errors a third as large it would count.
    if (form == Form::slow) c.token_s /= 2;
  }
  return all;
}

std::string name(const testing::TestParamInfo<ContinuousCase>& info) {
  std::string name = info.param.id + "_" + info.param.policy;
  for (char& c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  }
  return name;
}

class ContinuousQueue : public testing::TestWithParam<ContinuousCase> {};

// Would catch: a preemption that costs, loses or repeats service, at any token length; a macro-step
// that runs past a change of rank; a quantum, share or remaining size that is off by more than what
// shrinks with the token.
TEST_P(ContinuousQueue, MeetsTheTheoryAsTokensShrink) {
  const ContinuousCase& c = GetParam();
  std::vector<Metric> metrics;
  for (const Oracle& row : kOracles) {
    if (row.id == c.id) metrics.push_back(row.metric);
  }
  ASSERT_FALSE(metrics.empty()) << "nothing to compare";
  const Continuous got = halve_tokens(c, [&c] { return make_policy(c.policy); }, metrics,
                                      {.replications = kReplications,
                                       .jobs = c.form == Form::slow ? c.slow_jobs : c.jobs,
                                       .leave_out_end = true});
  EXPECT_TRUE(got.complete) << "a job did not finish";
  for (std::size_t i = 0; i < got.metrics.size(); ++i) {
    const Halvings& h = got.metrics[i];
    const auto verdict = meets(oracle(c.id, h.metric), h.limit);
    EXPECT_TRUE(verdict) << in_words(h);
    // The token's effect on T shrinks with it: the long form shows it outright, the short one has
    // no more than errors against it. On T / S two effects may be of opposite sign, and then their
    // sum need not fall from one token to the next.
    const bool outright = c.form == Form::slow && h.metric == Metric::mean_t;
    EXPECT_LT(h.growth(), outright ? 0 : 4 * h.bend.standard_error) << in_words(h);
    const std::string number = std::to_string(i);
    testing::Test::RecordProperty("metric_" + number, verdict.message());
    testing::Test::RecordProperty("halvings_" + number, in_words(h));
  }
}

// A prompt is not interrupted, so the shortest first is here exact, without a token's effect.
std::vector<TheoryCase> not_preempted(Form form) {
  return in_form(
      form, {{single_server("S11", 0.8, exponential_size()), "srpt:size=work", 25'000, 200'000}});
}

class ShortestJobFirst : public testing::TestWithParam<TheoryCase> {};

// Would catch: a job that is ranked by anything but its own time, or stopped on its way.
TEST_P(ShortestJobFirst, MeetsTheTheory) {
  expect_theory(GetParam());
}

INSTANTIATE_TEST_SUITE_P(Queueing, ContinuousQueue, testing::ValuesIn(cases(Form::ordinary)), name);
INSTANTIATE_TEST_SUITE_P(Slow, ContinuousQueue, testing::ValuesIn(cases(Form::slow)), name);
INSTANTIATE_TEST_SUITE_P(Queueing, ShortestJobFirst,
                         testing::ValuesIn(not_preempted(Form::ordinary)), case_name);
INSTANTIATE_TEST_SUITE_P(Slow, ShortestJobFirst, testing::ValuesIn(not_preempted(Form::slow)),
                         case_name);

}  // namespace
}  // namespace tokenyard::test
