#include "models/pipeline_cost_model.hpp"

#include <algorithm>

#include "models/charge.hpp"
#include "sim/kernel/invariant.hpp"

namespace tokenyard {

PipelineCostModel::PipelineCostModel(std::vector<Stage> stages) : stages_(std::move(stages)) {
  invariant(!stages_.empty(), "a pipeline has a stage", "{} stages", stages_.size());
}

Duration PipelineCostModel::on_the_way(std::size_t stage, const IterationLoad& load) const {
  if (stage + 1 == stages_.size()) return Duration{0};
  const auto tokens = static_cast<double>(load.prefill_tokens + load.decode_sequences);
  return charge(stages_[stage].to_next.at(tokens));
}

Duration PipelineCostModel::follows(std::size_t stage) const {
  Duration sum{0};
  for (std::size_t i = 0; i < stage; ++i) sum += charge(stages_[i].to_next.latency_s);
  return sum;
}

Duration PipelineCostModel::iteration(const IterationLoad& load) const {
  Duration sum{0};
  for (std::size_t stage = 0; stage < stages_.size(); ++stage) {
    sum += busy(stage, load) + on_the_way(stage, load);
  }
  return sum;
}

Duration PipelineCostModel::copy(std::int64_t blocks) const {
  Duration longest{0};
  for (std::size_t stage = 0; stage < stages_.size(); ++stage) {
    longest = std::max(longest, follows(stage) + copy(stage, blocks));
  }
  return longest;
}

}  // namespace tokenyard
