#pragma once
// A scheduler fed by hand: the test makes the events, pass by pass.

#include <deque>
#include <string>
#include <vector>

#include "sim/server/scheduler.hpp"
#include "tests/support/integer_cost.hpp"
#include "tests/support/simulation.hpp"

namespace tokenyard::test {

/// Keeps the facts of those who ended.
class FactKeeper final : public Observer {
 public:
  void ended(const RequestFacts& facts) override { ends.push_back(facts); }

  const RequestFacts& of(std::uint32_t request) const {
    for (const RequestFacts& facts : ends) {
      if (facts.request.id == RequestId{request}) return facts;
    }
    throw std::out_of_range("that request has not ended");
  }

  std::vector<RequestFacts> ends;
};

/// FCFS (or another policy), no oracle: outputs end where the test says so.
class SchedulerByHand {
 public:
  explicit SchedulerByHand(const ServerSettings& settings, int depth = 1,
                           const std::string& policy = "fcfs")
      : policy_(make_policy(policy)),
        cost_(std::chrono::milliseconds(10)),
        scheduler(settings, {*policy_, cost_, nullptr, nullptr, facts}, depth) {}

  void arrival(std::int64_t ms, std::uint32_t id, std::int64_t prompt_tokens = 1,
               std::optional<std::int64_t> max_tokens = std::nullopt) {
    Request request;
    request.id = RequestId{id};
    request.arrival = at_ms(ms);
    request.prompt_tokens = prompt_tokens;
    request.max_tokens = max_tokens;
    due_.push_back({at_ms(ms), id, Arrival{request}});
  }
  /// `finished` has an entry a slot.
  void end(std::int64_t ms, std::uint64_t iteration, const std::vector<bool>& finished) {
    std::vector<SlotOutcome>& outcomes = outcomes_.emplace_back();
    for (const bool each : finished) outcomes.push_back({each});
    due_.push_back({at_ms(ms), iteration, IterationEnd{IterationId{iteration}, outcomes}});
  }
  void stage_free(std::int64_t ms, std::uint64_t iteration) {
    due_.push_back({at_ms(ms), iteration, StageFree{IterationId{iteration}}});
  }
  void cancellation(std::int64_t ms, std::uint32_t id) {
    due_.push_back({at_ms(ms), id, Cancellation{RequestId{id}}});
  }

  /// Feeds what was made since the last pass; returns the requests of the decided iteration.
  std::vector<std::uint32_t> pass(std::int64_t ms) {
    std::vector<Event> due;
    due.swap(due_);
    last = &scheduler.pass(at_ms(ms), due);
    scheduler.audit();
    std::vector<std::uint32_t> requests;
    for (const Slot& slot : last->slots)
      requests.push_back(static_cast<std::uint32_t>(slot.request));
    return requests;
  }

 private:
  std::unique_ptr<Policy> policy_;
  IntegerCost cost_;
  std::vector<Event> due_;
  std::deque<std::vector<SlotOutcome>> outcomes_;

 public:
  FactKeeper facts;
  Scheduler scheduler;
  const Iteration* last = nullptr;
};

}  // namespace tokenyard::test
