// One request at a time, preempted between tokens: every delivered policy against the SOAP theorem.

#include "tests/queueing/theory_case.hpp"

namespace tokenyard::test {
namespace {

// With a level a token and places by arrival, MLFQ is least attained service.
const char kLas[] = "mlfq:ratio=1,base_quantum_ms=25,order=arrival";

std::vector<TheoryCase> cases(Form form) {
  const double rate = 4.306864065;
  const double token_s = 0.025;
  return in_form(
      form,
      {
          {token_server("S17", rate, seven_token_counts(), token_s), "fcfs", 200'000, 1'000'000},
          {token_server("S18", rate, seven_token_counts(), token_s), "srpt", 50'000, 400'000},
          {token_server("S19", rate, seven_token_counts(), token_s), kLas, 240'000, 1'200'000},
          // Thresholds after 1, 3, 7, 15 and 31 tokens.
          {token_server("S20", rate, seven_token_counts(), token_s),
           "mlfq:ratio=2,base_quantum_ms=25,levels=6,order=arrival", 200'000, 800'000},
          {two_prompt_classes("S22"), "skip-join-mlfq:base_quantum_ms=50,ratio=2,order=arrival",
           60'000, 300'000},
          // Without memory of the service done every order is as good as any other.
          {token_server("S23", 4, geometric_tokens(0.125), token_s), "fcfs", 60'000, 300'000},
          {token_server("S23", 4, geometric_tokens(0.125), token_s), kLas, 60'000, 400'000},
          {token_server("S23", 4, geometric_tokens(0.125), token_s),
           "mlfq:ratio=2,base_quantum_ms=25,levels=5,order=arrival", 60'000, 300'000},
      });
}

class TokenGranularQueue : public testing::TestWithParam<TheoryCase> {};

// Catches a wrong rank, level, quantum or tie, a preemption that costs or loses a token, and an
// arrival that is ranked a boundary too late.
TEST_P(TokenGranularQueue, MeetsTheSoapTheorem) {
  expect_theory(GetParam());
}

INSTANTIATE_TEST_SUITE_P(Queueing, TokenGranularQueue, testing::ValuesIn(cases(Form::ordinary)),
                         case_name);
INSTANTIATE_TEST_SUITE_P(Slow, TokenGranularQueue, testing::ValuesIn(cases(Form::slow)), case_name);

}  // namespace
}  // namespace tokenyard::test
