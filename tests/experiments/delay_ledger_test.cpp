// Who waited for whom, against counts by hand and against plain loops over every iteration.

#include "experiments/explain/delay_ledger.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <numeric>

#include "tests/support/by_hand.hpp"
#include "tests/support/crowded_jobs.hpp"
#include "tests/support/integer_cost.hpp"
#include "tests/support/simulation.hpp"

namespace tokenyard {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using test::IntegerCost;
using test::Job;

/// Everybody tells everybody apart.
DelayGroups each_alone(std::size_t requests) {
  DelayGroups groups;
  groups.waiting.resize(requests);
  std::iota(groups.waiting.begin(), groups.waiting.end(), 0U);
  groups.running = groups.waiting;
  groups.waiting_groups = groups.running_groups = requests;
  return groups;
}

std::int64_t ns(WideInteger value) {
  return static_cast<std::int64_t>(value);
}

std::int64_t ns(Duration value) {
  return value.count();
}

// Would catch: a newcomer's wait for the rest of an iteration left out or counted whole, shares by
// heads instead of tokens, and waiting after the first turn taken for queueing.
TEST(DelayLedger, SharesAnIterationByItsTokens) {
  // Iterations of 10 ms. 0 (prompt 3) runs alone in [0, 10), with 1 (prompt 9) in [10, 20): ten
  // tokens, one of them 0's. 2 came at 4 ms, finds two places taken, and runs from 20 ms on.
  ServerSettings settings = test::ample();
  settings.limits.max_num_seqs = 2;
  const std::vector<Job> jobs = {
      {test::at_ms(0), 3, 2}, {test::at_ms(3), 9, 1}, {test::at_ms(4), 1, 1}};
  DelayLedger ledger(each_alone(3));
  test::simulate(jobs, "fcfs", IntegerCost(milliseconds(10)), settings, true, &ledger);
  EXPECT_EQ(ns(ledger.behind(1, Waiting::first_turn, 0)), ns(milliseconds(7)));
  EXPECT_EQ(ns(ledger.behind(2, Waiting::first_turn, 0)), ns(milliseconds(6) + milliseconds(1)));
  EXPECT_EQ(ns(ledger.behind(2, Waiting::first_turn, 1)), ns(milliseconds(9)));
  EXPECT_EQ(ns(ledger.waited(2, Waiting::later)), 0);
  EXPECT_EQ(ns(ledger.waited(0, Waiting::first_turn)), 0);
  EXPECT_EQ(ns(ledger.ran(0)), ns(milliseconds(20)));
}

// Would catch: a remainder that is lost, given twice, or always to the same place.
TEST(DelayLedger, SharesEveryNanosecondOut) {
  // Three decode together, 10 ns an iteration (3, 3 and 4 of them), while the fourth waits.
  ServerSettings settings = test::ample();
  settings.limits.max_num_seqs = 3;
  const std::vector<Job> jobs(4, Job{kOrigin, 1, 5});
  DelayLedger ledger(each_alone(4));
  test::simulate(jobs, "fcfs", IntegerCost(Duration(10)), settings, true, &ledger);
  EXPECT_EQ(ns(ledger.behind(3, Waiting::first_turn, 0)), 15);
  EXPECT_EQ(ns(ledger.behind(3, Waiting::first_turn, 1)), 15);
  EXPECT_EQ(ns(ledger.behind(3, Waiting::first_turn, 2)), 20);
  EXPECT_EQ(ns(ledger.waited(3, Waiting::first_turn)), 50);
}

/// An iteration of one token.
Iteration one_token(RequestId request, Time begun) {
  Iteration iteration;
  iteration.begun = begun;
  Slot slot;
  slot.request = request;
  slot.new_tokens = 1;
  iteration.slots = {slot};
  return iteration;
}

// Would catch: on a wall clock, time that is booked for those who wait already and not for those
// of whom the server learns later, or that is given to who ran before it.
TEST(DelayLedger, BooksWhatPassesBeforeTheServerLooksUp) {
  const auto at_ns = [](std::int64_t ns_after) { return kOrigin + Duration(ns_after); };
  DelayLedger ledger(each_alone(4));
  for (const std::uint32_t id : {0U, 1U}) ledger.entered(RequestId{id}, Phase::queue, at_ns(0));
  const Iteration first = one_token(RequestId{0}, at_ns(0));
  ledger.decided(at_ns(0), first, {});
  ledger.completed(at_ns(10), first);
  // The server looks up at 14: request 1 has been cancelled, 2 came at 6 and 3 at 12.
  RequestFacts cancelled;
  cancelled.request.id = RequestId{1};
  cancelled.end = End::cancelled;
  cancelled.ended = at_ns(14);
  ledger.ended(cancelled);
  ledger.entered(RequestId{2}, Phase::queue, at_ns(6));
  ledger.entered(RequestId{3}, Phase::queue, at_ns(12));
  const Iteration second = one_token(RequestId{2}, at_ns(15));
  ledger.decided(at_ns(15), second, {});
  ledger.completed(at_ns(25), second);
  EXPECT_EQ(ns(ledger.behind(1, Waiting::first_turn, 0)), 10);
  EXPECT_EQ(ns(ledger.idle(1, Waiting::first_turn)), 4);
  EXPECT_EQ(ns(ledger.behind(2, Waiting::first_turn, 0)), 4);
  EXPECT_EQ(ns(ledger.idle(2, Waiting::first_turn)), 5);
  EXPECT_EQ(ns(ledger.behind(3, Waiting::first_turn, 0)), 0);
  EXPECT_EQ(ns(ledger.idle(3, Waiting::first_turn)), 3);
  EXPECT_EQ(ns(ledger.behind(3, Waiting::first_turn, 2)), 10);
  EXPECT_EQ(ns(ledger.idle(0, Waiting::later)), 5);
}

/// Keeps every iteration of a run.
class Iterations final : public Observer {
 public:
  struct Kept {
    Time begun, ended;
    std::vector<std::pair<std::size_t, std::int64_t>> tokens;  ///< by request, in order
  };

  void decided(Time now, const Iteration& iteration, const IterationFacts&) override {
    Kept kept{now, now, {}};
    for (const Slot& slot : iteration.slots) {
      const std::size_t id = index(slot.request);
      if (kept.tokens.empty() || kept.tokens.back().first != id) kept.tokens.push_back({id, 0});
      kept.tokens.back().second += slot.new_tokens;
    }
    all.push_back(kept);
  }
  void completed(Time now, const Iteration&) override { all.back().ended = now; }

  std::vector<Kept> all;
};

struct Pair final : Observer {
  Observer& first;
  Observer& second;

  Pair(Observer& a, Observer& b) : first(a), second(b) {}
  void decided(Time now, const Iteration& iteration, const IterationFacts& facts) override {
    first.decided(now, iteration, facts);
    second.decided(now, iteration, facts);
  }
  void completed(Time now, const Iteration& iteration) override {
    first.completed(now, iteration);
    second.completed(now, iteration);
  }
  void entered(RequestId request, Phase phase, Time now) override {
    first.entered(request, phase, now);
    second.entered(request, phase, now);
  }
  void ended(const RequestFacts& facts) override {
    first.ended(facts);
    second.ended(facts);
  }
};

/// What one request waited behind each other, before and after it was first scheduled.
struct Expected {
  std::map<std::size_t, std::int64_t> behind[2];
  std::int64_t ran = 0;
};

Expected by_plain_loops(const RequestFacts& facts,
                        const std::vector<Iterations::Kept>& iterations) {
  Expected expected;
  const std::size_t id = index(facts.request.id);
  for (const auto& iteration : iterations) {
    const Time from = std::max(iteration.begun, facts.request.arrival);
    const Time until = std::min(iteration.ended, facts.ended);
    if (from >= until) continue;
    std::int64_t all = 0;
    bool inside = false;
    for (const auto& [who, tokens] : iteration.tokens) {
      all += tokens;
      inside = inside || who == id;
    }
    if (inside) {
      expected.ran += ns(until - from);
      continue;
    }
    const bool later = iteration.begun >= facts.first_scheduled;
    std::int64_t so_far = 0, given = 0;
    for (const auto& [who, tokens] : iteration.tokens) {
      so_far += tokens;
      const std::int64_t share = ns(until - from) * so_far / all - given;
      given += share;
      if (share > 0) expected.behind[later ? 1 : 0][who] += share;
    }
  }
  return expected;
}

void expect_same(const DelayLedger& ledger, const RequestFacts& facts,
                 const std::vector<Iterations::Kept>& iterations, std::size_t requests) {
  const std::size_t id = index(facts.request.id);
  const Expected expected = by_plain_loops(facts, iterations);
  for (const Waiting when : {Waiting::first_turn, Waiting::later}) {
    const auto& behind = expected.behind[static_cast<std::size_t>(when)];
    for (std::size_t other = 0; other < requests; ++other) {
      const auto found = behind.find(other);
      RC_ASSERT(ns(ledger.behind(id, when, other)) == (found == behind.end() ? 0 : found->second));
    }
  }
  RC_ASSERT(ns(ledger.ran(id)) == expected.ran);
  if (facts.end == End::rejected) return;
  const std::int64_t waited =
      ns(ledger.waited(id, Waiting::first_turn)) + ns(ledger.waited(id, Waiting::later));
  RC_ASSERT(waited + expected.ran == ns(facts.ended - facts.request.arrival));
  RC_ASSERT(ns(ledger.waited(id, Waiting::first_turn)) == ns(facts.phases[0]));
}

// Would catch: a nanosecond that is lost, counted twice or given to the wrong request, under any
// policy, with chunks, static batches, eviction, copies, cancellations and several sequences; and a
// macro-step that is booked otherwise than its iterations.
RC_GTEST_PROP(DelayLedger, AgreesWithPlainLoops, ()) {
  const auto jobs = test::crowded_jobs();
  ServerSettings settings = test::crowded_settings(jobs);
  settings.macro_steps = *rc::gen::arbitrary<bool>();
  const auto policy = *rc::gen::element<std::string>("fcfs", "mlfq:base_quantum_ms=2",
                                                     "skip-join-mlfq:base_quantum_ms=2", "srpt");
  const IntegerCost cost({.iteration = microseconds(900),
                          .prefill_token = Duration(70'001),
                          .decode_sequence = Duration(20'003),
                          .context_token = Duration(501),
                          .copy_block = microseconds(700)});
  DelayLedger ledger(each_alone(jobs.size()));
  // The same by classes: the sums of the requests' own delays.
  DelayGroups classes = each_alone(jobs.size());
  for (std::size_t id = 0; id < jobs.size(); ++id) {
    classes.waiting[id] =
        jobs[id].prompt_tokens % 3 == 0 ? DelayGroups::kNone : static_cast<std::uint32_t>(id % 2);
    classes.running[id] = static_cast<std::uint32_t>(id % 3);
  }
  classes.waiting_groups = 2;
  classes.running_groups = 3;
  DelayLedger by_class(classes);
  Iterations iterations;
  Pair ledgers(ledger, by_class);
  Pair observers(iterations, ledgers);
  const auto outcome = test::simulate(jobs, policy, cost, settings, false, &observers);
  std::map<std::pair<std::size_t, std::size_t>, std::int64_t> sums;
  for (const RequestFacts& facts : outcome.requests) {
    expect_same(ledger, facts, iterations.all, jobs.size());
    const std::size_t id = index(facts.request.id);
    if (classes.waiting[id] == DelayGroups::kNone) continue;
    for (std::size_t other = 0; other < jobs.size(); ++other) {
      sums[{classes.waiting[id], classes.running[other]}] +=
          ns(ledger.behind(id, Waiting::first_turn, other)) +
          ns(ledger.behind(id, Waiting::later, other));
    }
  }
  for (std::size_t waiting = 0; waiting < 2; ++waiting) {
    for (std::size_t running = 0; running < 3; ++running) {
      const std::int64_t booked = ns(by_class.behind(waiting, Waiting::first_turn, running)) +
                                  ns(by_class.behind(waiting, Waiting::later, running));
      const std::int64_t expected = sums[std::pair(waiting, running)];
      RC_ASSERT(booked == expected);
    }
  }
}

}  // namespace
}  // namespace tokenyard
