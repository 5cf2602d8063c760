#include "experiments/validate/iteration_watch.hpp"

#include <algorithm>
#include <cmath>

#include "experiments/statistics/distribution.hpp"

namespace tokenyard {

void IterationWatch::decided(Time now, const Iteration& iteration, const IterationFacts&) {
  if (!iteration.slots.empty()) begun_ = now;
}

void IterationWatch::completed(Time now, const Iteration& iteration) {
  const Duration took = std::max(Duration{1}, now - begun_);
  measured_.push_back({iteration.load, to_seconds(took)});
}

std::vector<ChargedIteration> charge(const std::vector<MeasuredIteration>& measured,
                                     const CostModel& cost) {
  std::vector<ChargedIteration> charged;
  charged.reserve(measured.size());
  for (const MeasuredIteration& each : measured) {
    charged.push_back({each.load, each.seconds, to_seconds(cost.iteration(each.load))});
  }
  return charged;
}

IterationErrors errors_of(const std::vector<ChargedIteration>& charged) {
  IterationErrors found;
  found.iterations = static_cast<std::int64_t>(charged.size());
  double measured_s = 0, charged_s = 0;
  std::vector<double> absolute;
  for (const ChargedIteration& each : charged) {
    measured_s += each.measured_s;
    charged_s += each.charged_s;
    absolute.push_back(std::abs(each.charged_s - each.measured_s) / each.measured_s);
  }
  found.total = charged_s / measured_s - 1;
  const Distribution distribution = distribution_of(std::move(absolute));
  found.mean_absolute = *distribution.mean;
  found.p50_absolute = *distribution.p50;
  found.p95_absolute = *distribution.p95;
  found.p99_absolute = *distribution.p99;
  return found;
}

}  // namespace tokenyard
