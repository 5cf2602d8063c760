#include "tests/fleet/fleet_run.hpp"

#include <gtest/gtest.h>

#include "models/model_executor.hpp"
#include "sim/kernel/clock.hpp"
#include "sim/server/routers.hpp"
#include "tests/support/diary.hpp"

namespace tokenyard::test {

namespace {

/// Keeps a diary a replica, and one of the requests: which replica is told of first depends on how
/// far its macro-step goes.
class FleetWatch final : public Observer {
 public:
  FleetWatch(std::size_t requests, std::size_t replicas, bool tells, Observer* also)
      : tells_(tells), diaries_(replicas), also_(also) {
    outcome.requests.resize(requests);
    outcome.ends.resize(requests);
    outcome.iterations.resize(replicas);
  }

  void fed(Time now, std::span<const Event> due) override {
    if (also_ != nullptr) also_->fed(now, due);
  }
  void decided(Time now, const Iteration& iteration, const IterationFacts& facts) override {
    if (!tells_) return;
    const std::size_t replica = index(replica_of(iteration.id));
    diaries_.at(replica).decided(now, iteration, facts);
    std::string& lines = outcome.iterations.at(replica);
    lines += fmt::format("{}:", (now - kOrigin) / std::chrono::milliseconds(1));
    for (const Slot& slot : iteration.slots) {
      lines += fmt::format(" {}+{}", index(slot.request), slot.new_tokens);
    }
    lines += '\n';
    ++outcome.iterations_begun;
    if (also_ != nullptr) also_->decided(now, iteration, facts);
  }
  void completed(Time now, const Iteration& iteration) override {
    if (tells_) diaries_.at(index(replica_of(iteration.id))).completed(now, iteration);
    if (also_ != nullptr) also_->completed(now, iteration);
  }
  void token_gaps(Time now, Duration gap, std::int64_t count) override {
    if (tells_) gaps_[{now, gap}] += count;
    if (also_ != nullptr) also_->token_gaps(now, gap, count);
  }
  void entered(RequestId request, Phase phase, Time now) override {
    if (tells_) requests_.entered(request, phase, now);
    if (also_ != nullptr) also_->entered(request, phase, now);
  }
  void ended(const RequestFacts& facts) override {
    if (tells_) {
      requests_.ended(facts);
      requests_.text += fmt::format(" at {}\n", index(facts.replica));
    }
    outcome.requests.at(index(facts.request.id)) = facts;
    ++outcome.ends.at(index(facts.request.id));
    if (also_ != nullptr) also_->ended(facts);
  }
  bool watches_slots() const override { return tells_; }
  bool takes_steps_together() const override { return !tells_; }

  FleetOutcome take() {
    for (const Diary& diary : diaries_) outcome.story += diary.text;
    outcome.story += requests_.text;
    for (const auto& [what, count] : gaps_) {
      outcome.story += fmt::format("{} gap {} x {}\n", ns(what.first), what.second.count(), count);
    }
    return std::move(outcome);
  }

  FleetOutcome outcome;

 private:
  bool tells_;
  std::vector<Diary> diaries_;
  Diary requests_;
  std::map<std::pair<Time, Duration>, std::int64_t> gaps_;
  Observer* also_;
};

}  // namespace

FleetOutcome run_fleet(const std::vector<Job>& jobs, const CostModel& cost, const FleetCase& what,
                       Observer* observer) {
  JobWorkload workload(jobs, what.server.kv.block_size);
  const TruePredictor predictor(workload);
  FleetWatch watch(jobs.size(), what.fleet.replicas, what.tells, observer);
  const auto arrivals = make_router(what.router, what.seed);
  const auto handoffs = make_router(what.router, what.seed + 1);
  const auto make = [&](ReplicaId) {
    return ReplicaParts{make_policy(what.policy), std::make_unique<ModelExecutor>(cost, workload)};
  };
  SimClock clock;
  const ReplicaPorts ports{cost, &predictor, &workload, watch};
  const std::int64_t passes = serve_fleet(what.fleet, what.server, ports, {*arrivals, *handoffs},
                                          make, what.transfer, clock, workload);
  FleetOutcome outcome = watch.take();
  outcome.passes = passes;
  return outcome;
}

}  // namespace tokenyard::test
