// What holds exactly for every run, whatever the policy: no confidence interval is needed.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>

#include "tests/contract/policies_of_catalogue.hpp"
#include "tests/support/integer_cost.hpp"
#include "tests/support/random_jobs.hpp"
#include "tests/support/simulation.hpp"

namespace tokenyard::test {
namespace {

using namespace std::chrono_literals;

const IntegerCost& one_ms() {
  static const IntegerCost model(1ms);
  return model;
}

ServerSettings ample_for(std::int64_t max_num_seqs) {
  ServerSettings settings = ample();
  settings.limits.max_num_seqs = max_num_seqs;
  return settings;
}

/// When each iteration began and ended.
class Stretches final : public Observer {
 public:
  void decided(Time now, const Iteration&, const IterationFacts& facts) override {
    begun.push_back(now);
    waiting.push_back(facts.waiting);
  }
  void completed(Time now, const Iteration&) override { ended.push_back(now); }

  std::vector<Time> begun, ended;
  std::vector<std::int64_t> waiting;
};

class EveryPolicyRun : public testing::TestWithParam<std::string> {};

// Would catch: a request whose time is lost or counted twice. Little's law as an identity: the time
// integral of the number in the system, put together from what each iteration saw (its members, who
// waited, and who arrived while it ran), is the sum of all times in the system.
TEST_P(EveryPolicyRun, TheIntegralOfTheNumberInTheSystemIsTheSumOfTheTimesInIt) {
  EXPECT_TRUE(rc::check([this] {
    const auto jobs = random_jobs({});
    Stretches seen;
    const auto seats = *rc::gen::inRange<std::int64_t>(1, 5);
    const Outcome run = simulate(jobs, GetParam(), varied_cost(), ample_for(seats), false, &seen);
    Duration integral{0}, times{0};
    for (std::size_t i = 0; i < seen.begun.size(); ++i) {
      const auto members = static_cast<std::int64_t>(run.decisions[i].requests.size());
      integral += (seen.ended[i] - seen.begun[i]) * (members + seen.waiting[i]);
      for (const Job& job : jobs) {
        if (job.arrival > seen.begun[i] && job.arrival < seen.ended[i]) {
          integral += seen.ended[i] - job.arrival;
        }
      }
    }
    for (std::size_t i = 0; i < jobs.size(); ++i) times += run.jct(i);
    RC_ASSERT(integral == times);
  }));
}

// Would catch: an executor that idles while somebody waits, for a tick or a whole iteration.
TEST_P(EveryPolicyRun, TheExecutorIsNeverIdleWhileARequestIsLive) {
  EXPECT_TRUE(rc::check([this] {
    const auto jobs = random_jobs({});
    Stretches seen;
    const auto seats = *rc::gen::inRange<std::int64_t>(1, 5);
    const Outcome run = simulate(jobs, GetParam(), varied_cost(), ample_for(seats), false, &seen);
    Time free_since = kOrigin;
    for (std::size_t i = 0; i < seen.begun.size(); ++i) {
      RC_ASSERT(seen.begun[i] >= free_since);
      if (seen.begun[i] > free_since) {
        Time next_arrival = kNever;
        for (std::size_t j = 0; j < jobs.size(); ++j) {
          const bool was_there = jobs[j].arrival <= free_since;
          RC_ASSERT((!was_there || run.requests[j].ended <= free_since));
          if (!was_there) next_arrival = std::min(next_arrival, jobs[j].arrival);
        }
        RC_ASSERT(seen.begun[i] == next_arrival);
      }
      free_since = seen.ended[i];
    }
    RC_ASSERT(free_since == run.last_end);
  }));
}

/// The busy periods of a run.
std::vector<std::pair<Time, Time>> busy_periods(const Stretches& seen) {
  std::vector<std::pair<Time, Time>> periods;
  for (std::size_t i = 0; i < seen.begun.size(); ++i) {
    if (!periods.empty() && periods.back().second == seen.begun[i]) {
      periods.back().second = seen.ended[i];
    } else {
      periods.emplace_back(seen.begun[i], seen.ended[i]);
    }
  }
  return periods;
}

// Would catch: work that depends on the order of service. At batch size 1 with ample memory no
// policy makes or saves work, so busy periods are the same for all; and where every token costs the
// same, so is the unfinished work at each instant, that is, every single boundary.
TEST_P(EveryPolicyRun, AtBatchSizeOneTheUnfinishedWorkIsThatOfFcfs) {
  EXPECT_TRUE(rc::check([this] {
    const auto jobs = random_jobs({});
    Stretches plain, other, plain_even, other_even;
    simulate(jobs, "fcfs", varied_cost(), ample_for(1), false, &plain);
    simulate(jobs, GetParam(), varied_cost(), ample_for(1), false, &other);
    RC_ASSERT((busy_periods(plain) == busy_periods(other)));
    simulate(jobs, "fcfs", one_ms(), ample_for(1), false, &plain_even);
    simulate(jobs, GetParam(), one_ms(), ample_for(1), false, &other_even);
    RC_ASSERT((plain_even.begun == other_even.begun));
    RC_ASSERT((plain_even.ended == other_even.ended));
  }));
}

// Would catch: an SRPT that is not optimal. At batch size 1, without prefill cost, with arrivals on
// token boundaries and true lengths, no order has a smaller sum of completion times (Schrage 1968).
TEST_P(EveryPolicyRun, AtBatchSizeOneNoPolicyBeatsSrptOnMeanJct) {
  EXPECT_TRUE(rc::check([this] {
    const auto jobs = random_jobs({.gap_ms = 12});
    const Outcome best = simulate(jobs, "srpt", one_ms(), ample_for(1), false);
    const Outcome other = simulate(jobs, GetParam(), one_ms(), ample_for(1), false);
    Duration best_sum{0}, other_sum{0};
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      best_sum += best.jct(i);
      other_sum += other.jct(i);
    }
    RC_ASSERT(best_sum <= other_sum);
  }));
}

// Would catch: anything that differs between two runs of the same: an address, hash order, a draw.
TEST_P(EveryPolicyRun, TwoRunsOfTheSameDecideTheSame) {
  EXPECT_TRUE(rc::check([this] {
    const auto jobs =
        random_jobs({.cancellations = true, .several_sequences = true, .known_prompts = true});
    ServerSettings settings = random_settings();
    settings.limits.chunk_tokens = 0;
    const Outcome first = simulate(jobs, GetParam(), varied_cost(), settings, false);
    const Outcome second = simulate(jobs, GetParam(), varied_cost(), settings, false);
    RC_ASSERT(first.decisions.size() == second.decisions.size());
    for (std::size_t i = 0; i < first.decisions.size(); ++i) {
      RC_ASSERT((first.decisions[i].begun == second.decisions[i].begun));
      RC_ASSERT((first.decisions[i].requests == second.decisions[i].requests));
      RC_ASSERT((first.decisions[i].new_tokens == second.decisions[i].new_tokens));
      RC_ASSERT(first.decisions[i].kv_blocks_used == second.decisions[i].kv_blocks_used);
    }
    RC_ASSERT((first.token_gaps == second.token_gaps));
  }));
}

std::vector<std::string> all_policies() {
  auto texts = policies_under_test();
  for (const auto& text : turn_taking_policies()) texts.push_back(text);
  return texts;
}

INSTANTIATE_TEST_SUITE_P(Catalogue, EveryPolicyRun, testing::ValuesIn(all_policies()));

}  // namespace
}  // namespace tokenyard::test
