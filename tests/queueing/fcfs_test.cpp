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

INSTANTIATE_TEST_SUITE_P(Queueing, FcfsQueue, testing::ValuesIn(cases(Form::ordinary)), case_name);
INSTANTIATE_TEST_SUITE_P(Slow, FcfsQueue, testing::ValuesIn(cases(Form::slow)), case_name);

}  // namespace
}  // namespace tokenyard::test
