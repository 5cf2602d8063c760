#include "models/pipeline_executor.hpp"

#include <algorithm>

namespace tokenyard {

PipelineExecutor::PipelineExecutor(const PipelineCostModel& cost, const OutputOracle& oracle,
                                   Observer& observer, std::uint64_t seed)
    : cost_(cost), observer_(observer), stages_(cost.stages()) {
  for (std::size_t i = 0; i < stages_.size(); ++i) {
    places_.push_back({SlotOutcomes(oracle, seed, cost.stages() == 1), kOrigin});
  }
}

void PipelineExecutor::begin_copy(const KvCopy& copy, Time now, Events& events) {
  const auto blocks = static_cast<std::int64_t>(copy.host_blocks.size());
  Time end = now;
  for (std::size_t i = 0; i < stages_.size(); ++i) {
    Time& free_at = stages_[i].channel_free_at[static_cast<std::size_t>(copy.direction)];
    free_at = std::max(now + cost_.follows(i), free_at) + cost_.copy(i, blocks);
    end = std::max(end, free_at);
  }
  events.post(end, index(copy.id), CopyEnd{copy.id});
}

void PipelineExecutor::begin(const Iteration& iteration, Time now, Events& events) {
  for (const KvCopy& copy : iteration.copies) begin_copy(copy, now, events);
  if (iteration.slots.empty()) return;
  Time at = now;
  for (std::size_t i = 0; i < stages_.size(); ++i) {
    const Time begun = std::max(at, stages_[i].free_at);
    const Time ended = begun + cost_.busy(i, iteration.load);
    stages_[i].free_at = ended;
    observer_.staged(iteration, i, begun, ended);
    at = ended + cost_.on_the_way(i, iteration.load);
  }
  Place& place = places_[next_place_];
  next_place_ = (next_place_ + 1) % places_.size();
  place.end = at;
  place.outcomes.tokens_left(iteration);
  events.post(at, index(iteration.id), place.outcomes.after(iteration, {&place.end, 1}));
  if (stages_.size() > 1) {
    events.post(stages_.front().free_at, index(iteration.id), StageFree{iteration.id});
  }
}

}  // namespace tokenyard
