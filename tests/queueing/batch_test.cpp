// Several requests a step: continuous batching (a member leaves when it is done, its place is taken
// at the next boundary) and static batching (all leave when the longest is done).

#include "tests/queueing/theory_case.hpp"

namespace tokenyard::test {
namespace {

std::vector<TheoryCase> cases(Form form) {
  return in_form(form, {
                           {batch_server("S28", 9, geometric_tokens(0.0625), 8, 0.02, 0.0025),
                            "fcfs", 10'000, 100'000},
                           {batch_server("S29", 16, geometric_tokens(0.05), 16, 0.02, 0.001),
                            "fcfs", 10'000, 100'000},
                           {static_batch_server("S30"), "fcfs", 35'000, 200'000},
                       });
}

class BatchQueue : public testing::TestWithParam<TheoryCase> {};

// Catches a batch that is filled too late, too little or beyond its cap, a step charged for the
// wrong number of members, and (static) members that return before the batch's end.
TEST_P(BatchQueue, MeetsItsMarkovChain) {
  expect_theory(GetParam());
}

INSTANTIATE_TEST_SUITE_P(Queueing, BatchQueue, testing::ValuesIn(cases(Form::ordinary)), case_name);
INSTANTIATE_TEST_SUITE_P(Slow, BatchQueue, testing::ValuesIn(cases(Form::slow)), case_name);

}  // namespace
}  // namespace tokenyard::test
