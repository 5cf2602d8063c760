#pragma once
// What the benchmarks of the scheduler and of whole runs share.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "experiments/compose.hpp"
#include "models/linear_cost_model.hpp"
#include "sim/ports/length_predictor.hpp"
#include "sim/ports/output_oracle.hpp"
#include "sim/server/scheduler.hpp"

namespace tokenyard::bench {

/// What the project promises of a step at a batch of about 50, on one core.
inline constexpr double kRequiredIterationsASecond = 200'000;

/// The policies that the benchmarks run under.
inline constexpr const char* kPolicies[] = {"fcfs", "mlfq", "skip-join-mlfq", "srpt",
                                            "skip-join-mlfq:demote=fit,promote_after_ms=300"};

/// About what a 13B model on one large device takes.
inline LinearCoefficients plausible_cost() {
  LinearCoefficients cost;
  cost.iteration_s = 8e-3;
  cost.prefill_token_s = 60e-6;
  cost.decode_sequence_s = 50e-6;
  cost.context_token_s = 80e-9;
  return cost;
}

/// A pool that is never short.
inline ServerSettings ample(std::int64_t max_num_seqs) {
  ServerSettings settings;
  settings.limits.max_num_seqs = max_num_seqs;
  settings.kv.device_blocks = 4'000'000;
  return settings;
}

class TruePredictor final : public LengthPredictor {
 public:
  explicit TruePredictor(const OutputOracle& oracle) : oracle_(oracle) {}
  double output_tokens_mean(const RequestView& request) const override {
    return static_cast<double>(oracle_.output_tokens(request.id));
  }
  bool stands() const override { return true; }
  bool clairvoyant() const override { return true; }

 private:
  const OutputOracle& oracle_;
};

/// A scheduler that always has `batch` requests to run and `waiting` more. Each request that ends
/// is replaced at once by a new one, so a step stays like the one before; the executor and the
/// event queue are left out, so `step` costs one pass and little else.
class BusyServer final : public OutputOracle {
 public:
  BusyServer(const std::string& policy, std::int64_t batch, std::int64_t waiting)
      : policy_(compose_policy(policy)),
        cost_(plausible_cost()),
        predictor_(*this),
        scheduler_(ample(batch), {*policy_, cost_, &predictor_, this, nobody_}, 1) {
    for (std::int64_t i = 0; i < batch + waiting; ++i) post_arrival();
    step();
  }

  /// Lengths from 100 to 299 tokens, by id.
  std::int64_t output_tokens(RequestId request) const override {
    return 100 + static_cast<std::int64_t>(index(request) * 2654435761U % 200);
  }

  /// One iteration: a pass that takes the last one's end, and the arrivals for those who left.
  void step() {
    const Iteration& iteration = scheduler_.pass(now_, due_);
    now_ += cost_.iteration(iteration.load);
    outcomes_.clear();
    slots_ += iteration.slots.size();
    due_.clear();
    due_.push_back({now_, index(iteration.id), IterationEnd{iteration.id, {}}});
    for (const Slot& slot : iteration.slots) {
      const bool finished = slot.yields && slot.generated + 1 >= output_tokens(slot.request);
      outcomes_.push_back({finished});
      if (finished) post_arrival();
    }
    std::get<IterationEnd>(due_.front().payload).outcomes = outcomes_;
  }

  /// Slots of all iterations so far.
  std::uint64_t slots() const { return slots_; }

 private:
  void post_arrival() {
    Request request;
    request.id = RequestId{next_++};
    request.arrival = now_;
    request.prompt_tokens = 20;
    request.max_tokens = 1000;
    due_.push_back({now_, index(request.id), Arrival{request}});
  }

  std::unique_ptr<Policy> policy_;
  LinearCostModel cost_;
  TruePredictor predictor_;
  Observer nobody_;
  Scheduler scheduler_;
  Time now_ = kOrigin;
  std::uint32_t next_ = 0;
  std::vector<Event> due_;
  std::vector<SlotOutcome> outcomes_;
  std::uint64_t slots_ = 0;
};

}  // namespace tokenyard::bench
