#include "experiments/bounds/lower_bound.hpp"

#include <algorithm>
#include <tuple>

#include "experiments/bounds/relaxations.hpp"
#include "experiments/bounds/request_work.hpp"
#include "sim/kernel/invariant.hpp"

namespace tokenyard {

namespace {

constexpr std::int64_t kLongestContext = 2'000'000;  // 96 MB of tables

void raise(JctBound& bound, WideInteger total_ns, Relaxation from) {
  if (total_ns <= bound.total_ns) return;
  bound.total_ns = total_ns;
  bound.from = from;
}

/// The bounds of one way of sharing costs out.
void raise(JctBound& bound, const std::vector<BoundRequest>& requests, const WorkTables& tables) {
  WideInteger arrivals = 0, alone = 0, lag = 0;
  std::vector<MachineJob> jobs;
  jobs.reserve(requests.size());
  for (const BoundRequest& request : requests) {
    const RequestWork work = tables.of(request);
    jobs.push_back({request.arrival, work.machine});
    arrivals += (request.arrival - kOrigin).count();
    alone += work.alone.count();
    lag += work.lag.count();
  }
  raise(bound, alone, Relaxation::alone);
  raise(bound, least_completion_sum(jobs) - arrivals, Relaxation::srpt);
  raise(bound, least_mean_busy_sum(jobs) + lag - arrivals, Relaxation::mean_busy);
}

/// Averages of one or two planes that are tried.
std::vector<std::vector<double>> mixtures(std::size_t planes) {
  if (planes == 1) return {{1.0}};
  std::vector<std::vector<double>> all;
  for (const double second : {0.0, 0.25, 0.5, 0.75, 1.0}) {
    all.emplace_back(planes, 0.0);
    all.back()[0] = 1 - second;
    all.back()[1] = second;
  }
  return all;
}

}  // namespace

const char* name_of(Relaxation relaxation) {
  switch (relaxation) {
    case Relaxation::alone:
      return "each alone on the machine";
    case Relaxation::srpt:
      return "shortest remaining time first on the fullest batch";
    case Relaxation::mean_busy:
      return "mean busy times on the fullest batch";
  }
  break_invariant("a bound comes from a relaxation", "an unknown one");
}

double JctBound::mean_s() const {
  constexpr double kSeconds = 1e-9;
  return static_cast<double>(total_ns) * kSeconds / static_cast<double>(requests);
}

void sort_for_bound(std::vector<BoundRequest>& requests) {
  const auto key = [](const BoundRequest& request) {
    return std::tuple(request.arrival, request.prompt_tokens, request.output_tokens);
  };
  std::ranges::sort(requests, {}, key);
}

std::optional<JctBound> lower_bound_on_jct(std::vector<BoundRequest> requests,
                                           const ServerSettings& settings,
                                           std::span<const CostFloor> floors) {
  if (requests.empty() || floors.empty()) return std::nullopt;
  std::int64_t longest = 0;
  for (const BoundRequest& request : requests) {
    longest = std::max(longest, request.prompt_tokens + request.output_tokens);
  }
  if (longest > kLongestContext) return std::nullopt;
  sort_for_bound(requests);
  JctBound bound;
  bound.requests = requests.size();
  // Blocks found in the cache are shared, so that a batch may hold more tokens than the pool.
  std::vector<FixedCostShares> shares = {{1.0}};
  if (!settings.kv.prefix_caching) shares.insert(shares.end(), {{0.5}, {0.0}});
  for (const auto& weights : mixtures(floors.size())) {
    for (const FixedCostShares& share : shares) {
      raise(bound, requests, WorkTables(floors, weights, settings, share, longest));
    }
  }
  return bound;
}

void FinishedRequests::ended(const RequestFacts& facts) {
  if (facts.end != End::finished || facts.request.arrival < warmup_) return;
  requests_.push_back({facts.request.arrival, facts.request.prompt_tokens, facts.output_tokens});
}

}  // namespace tokenyard
