// Copies that fail or crawl, and clients that give up at any moment: nothing is lost, nothing
// leaks.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <numeric>

#include "tests/contract/policies_of_catalogue.hpp"
#include "tests/support/content_executor.hpp"
#include "tests/support/crowded_jobs.hpp"
#include "tests/support/integer_cost.hpp"

namespace tokenyard::test {
namespace {

using namespace std::chrono_literals;

/// A copy takes about as long as an iteration, or a hundred times that.
const IntegerCost& cost() {
  static const IntegerCost model({.iteration = 1ms, .prefill_token = 10us, .copy_block = 400us});
  return model;
}

/// A third of the clients give up, some at once, some late.
std::vector<Job> impatient_jobs() {
  using rc::gen::inRange;
  std::vector<Job> jobs = crowded_jobs();
  for (Job& job : jobs) {
    if (*inRange(0, 3) == 0) job.cancel_after = std::chrono::microseconds(*inRange(0, 90'000));
  }
  return jobs;
}

/// Of each `every` copies one fails (0: none).
ContentOptions faults() {
  const auto every = *rc::gen::element<std::uint64_t>(0, 1, 2, 5);
  ContentOptions options;
  options.depth = *rc::gen::element(1, 1, 2, 3);
  options.copy_slowness = *rc::gen::element<std::int64_t>(1, 1, 100);
  if (every > 0) options.copy_fails = [every](CopyId copy) { return index(copy) % every == 0; };
  return options;
}

/// Counts how often each request ends, and stops a run that goes round in circles.
class Ends final : public Observer {
 public:
  explicit Ends(std::size_t requests) : times(requests, 0) {}

  void ended(const RequestFacts& facts) override { ++times.at(index(facts.request.id)); }
  void decided(Time, const Iteration&, const IterationFacts&) override {
    if (++iterations_ > 100'000) throw std::runtime_error("the run goes round in circles");
  }

  std::vector<int> times;

 private:
  int iterations_ = 0;
};

void expect_right(const Job& job, const RequestFacts& facts) {
  const Duration phases =
      std::accumulate(std::begin(facts.phases), std::end(facts.phases), Duration{0});
  RC_ASSERT(phases == facts.ended - facts.request.arrival);
  RC_ASSERT(facts.end != End::rejected);
  if (facts.end == End::finished) {
    RC_ASSERT(facts.output_tokens == job.longest());
    RC_ASSERT(facts.sequence_tokens == job.all_tokens());
  } else {
    RC_ASSERT(job.cancel_after.has_value());
    RC_ASSERT(facts.ended >= job.arrival + *job.cancel_after);
    RC_ASSERT(facts.output_tokens <= job.longest());
  }
}

// The blocks are audited at each iteration and after the last end, when none may be in use.
bool survives_faults(const std::string& policy, bool chunks) {
  return rc::check([&] {
    const auto jobs = impatient_jobs();
    ServerSettings settings = crowded_settings(jobs);
    if (!chunks) settings.limits.chunk_tokens = 0;
    Ends ends(jobs.size());
    const Outcome outcome = simulate(jobs, policy, cost(), settings, true, &ends,
                                     checking_content(jobs, settings, faults()));
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      RC_ASSERT(ends.times[i] == 1);
      expect_right(jobs[i], outcome.requests[i]);
    }
  });
}

class Faults : public testing::TestWithParam<std::string> {};

// Would catch: blocks, on the device or on the host, that stay taken after a copy failed or their
// request was cancelled in whatever state; a request that ends twice, or never, or as something
// else than it is; a request that goes on with KV that a failed copy did not bring; a server that
// waits for ever because copies crawl.
TEST_P(Faults, NeitherFailedNorSlowCopiesNorCancellationsLoseAnything) {
  EXPECT_TRUE(survives_faults(GetParam(), true));
}

class TurnTakingFaults : public testing::TestWithParam<std::string> {};

// Would catch: the same, where requests are interrupted as often as can be.
TEST_P(TurnTakingFaults, NeitherFailedNorSlowCopiesNorCancellationsLoseAnything) {
  EXPECT_TRUE(survives_faults(GetParam(), false));
}

INSTANTIATE_TEST_SUITE_P(Catalogue, Faults, testing::ValuesIn(policies_under_test()));
INSTANTIATE_TEST_SUITE_P(Catalogue, TurnTakingFaults, testing::ValuesIn(turn_taking_policies()));

}  // namespace
}  // namespace tokenyard::test
