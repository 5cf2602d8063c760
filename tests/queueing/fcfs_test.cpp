// First come, first served, one at a time: M/M/1, M/D/1, M/H2/1 and M/G/1 with bounded Pareto
// sizes. A job is a prompt with one output token.

#include "tests/queueing/theory_case.hpp"

namespace tokenyard::test {
namespace {

std::vector<TheoryCase> cases(Form form) {
  const std::string fcfs = "fcfs";
  return in_form(form,
                 {
                     {single_server("S01", 0.5, exponential_size()), fcfs, 15'000, 60'000},
                     {single_server("S02", 0.9, exponential_size()), fcfs, 0, 1'500'000},
                     {single_server("S03", 0.8, constant_size()), fcfs, 40'000, 300'000},
                     {single_server("S04", 0.7, hyperexponential_size()), fcfs, 100'000, 400'000},
                     {single_server("S05", 0.421, bounded_pareto_size()), fcfs, 420'000, 2'000'000},
                 });
}

class FcfsQueue : public testing::TestWithParam<TheoryCase> {};

// Catches a server that idles with work present, charges a prompt wrongly, loses or delays an
// arrival, or serves out of order (which the percentiles see).
TEST_P(FcfsQueue, MeetsPollaczekAndKhinchine) {
  expect_theory(GetParam());
}

/// Notes when each request ended.
class Ends final : public Observer {
 public:
  explicit Ends(std::size_t count) : at(count) {}
  void ended(const RequestFacts& facts) override { at[index(facts.request.id)] = facts.ended; }
  std::vector<Time> at;
};

// Lindley's recursion says when each single job ends: not before it came, not before the job ahead
// of it left, and its own time later. Catches an error of one nanosecond, which no mean would show.
TEST(FcfsServer, EqualsLindleysRecursionToTheNanosecond) {
  const QueueSystem system = single_server("Lindley", 0.7, hyperexponential_size());
  const LinearCostModel cost(system.cost);
  const std::vector<Job> jobs = draw_jobs(system, 1, 20'000);
  Ends ends(jobs.size());
  ServerSettings settings = ample();
  settings.limits = system.limits;
  settings.kv.block_size = kTokensABlock;
  simulate(jobs, "fcfs", cost, settings, false, &ends);
  Time free = kOrigin;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const std::int64_t prompt = jobs[i].prompt_tokens;
    free = std::max(free, jobs[i].arrival) +
           cost.iteration(IterationLoad::one_prefill(prompt, prompt));
    ASSERT_EQ(ends.at[i], free) << "job " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Queueing, FcfsQueue, testing::ValuesIn(cases(Form::ordinary)), case_name);
INSTANTIATE_TEST_SUITE_P(Slow, FcfsQueue, testing::ValuesIn(cases(Form::slow)), case_name);

}  // namespace
}  // namespace tokenyard::test
