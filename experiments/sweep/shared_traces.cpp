#include "experiments/sweep/shared_traces.hpp"

#include <fmt/format.h>

#include "experiments/sweep/cell_name.hpp"
#include "sim/kernel/text.hpp"
#include "traces/generate.hpp"

namespace tokenyard {

namespace {

/// All that `compose_trace` looks at.
std::string key_of(const RunPlan& plan, const Settings& settings, std::uint64_t seed) {
  const bool drawn = is_workload_plan(plan.trace) || settings.resample_block_s;
  return fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}", plan.trace, plan.format, plan.zero,
                     plan.trust_ids, settings.limit.value_or(-1),
                     settings.request_rate.value_or(-1), settings.resample_block_s.value_or(-1),
                     drawn ? seed : 0);
}

}  // namespace

SharedTrace SharedTraces::of(const RunPlan& plan, const Settings& settings, std::uint64_t seed) {
  const std::string key = key_of(plan, settings, seed);
  SharedTrace made;
  {
    const std::scoped_lock lock(mutex_);
    const auto found = entries_.find(key);
    if (found != entries_.end()) made = found->second.shared;
  }
  if (made.trace) return made;
  // Not under the lock: now and then two make the same, and nobody waits.
  made.trace = std::make_shared<const RunTrace>(compose_trace(source_of(plan), settings, seed));
  if (made.digest.empty()) made.digest = requests_digest(*made.trace);

  const std::scoped_lock lock(mutex_);
  Entry& entry = entries_[key];
  if (entry.shared.trace) return entry.shared;
  entry.shared = made;
  entry.requests = made.trace->streamed() ? 0 : made.trace->survey().requests;
  kept_.push_back(key);
  requests_ += entry.requests;
  while (requests_ > most_) {
    Entry& oldest = entries_.at(kept_.front());
    oldest.shared.trace.reset();
    requests_ -= oldest.requests;
    kept_.pop_front();
  }
  return made;
}

}  // namespace tokenyard
