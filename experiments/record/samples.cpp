#include "experiments/record/samples.hpp"

#include <algorithm>
#include <vector>

#include "experiments/record/requests_csv.hpp"

namespace tokenyard {

namespace {

double ratio(std::int64_t jct, std::int64_t alone) {
  return static_cast<double>(jct) / static_cast<double>(alone);
}

}  // namespace

void Samples::add(const RequestFacts& facts, Duration alone) {
  const Duration in_system = facts.ended - facts.request.arrival;
  ++sums_.requests;
  sums_.first_arrival = std::min(sums_.first_arrival, facts.request.arrival);
  sums_.last_end = std::max(sums_.last_end, facts.ended);
  sums_.preemptions += facts.preemptions;
  sums_.swaps_out += facts.swaps_out;
  sums_.swaps_in += facts.swaps_in;
  sums_.recomputed_tokens += facts.recomputed_tokens;
  if (facts.first_scheduled != kNever) {
    sums_.prompt_tokens += facts.request.prompt_tokens;
    sums_.cached_tokens += facts.cached_tokens;
  }
  sums_.in_system_ns += in_system.count();
  sums_.swapping_ns += facts.phases[static_cast<std::size_t>(Phase::swap)].count();
  if (facts.end == End::rejected) ++sums_.rejected;
  if (facts.end != End::finished) return;
  ++sums_.completed;
  sums_.tokens += facts.request.beam_search ? facts.output_tokens : facts.sequence_tokens;
  const std::int64_t solo = std::max<std::int64_t>(alone.count(), 0);
  completed_.push_back({in_system.count(), (facts.first_token - facts.request.arrival).count(),
                        solo, facts.output_tokens});
  if (solo == 0) return;
  auto& [sum, count] = slowdown_by_tenant_[facts.request.tenant];
  sum += ratio(in_system.count(), solo);
  ++count;
}

/// `value(request)` is a sample in nanoseconds, or empty.
template <typename Value>
Distribution Samples::distribution(Value value) const {
  std::vector<std::int64_t> samples;
  samples.reserve(completed_.size());
  for (const Latencies& request : completed_) {
    if (const std::optional<std::int64_t> sample = value(request)) samples.push_back(*sample);
  }
  return distribution_of_nanoseconds(std::move(samples));
}

Distribution Samples::jct() const {
  return distribution([](const Latencies& request) { return std::optional(request.jct); });
}

Distribution Samples::ttft() const {
  return distribution([](const Latencies& request) { return std::optional(request.ttft); });
}

std::optional<std::int64_t> Samples::tpot_of(const Latencies& request) {
  if (request.tokens < 2) return std::nullopt;
  return divide_rounded(Duration(request.jct - request.ttft), request.tokens - 1).count();
}

std::optional<std::int64_t> Samples::normalized_of(const Latencies& request) {
  if (request.tokens < 1) return std::nullopt;
  return divide_rounded(Duration(request.jct), request.tokens).count();
}

Distribution Samples::tpot() const {
  return distribution(tpot_of);
}

Distribution Samples::normalized_latency() const {
  return distribution(normalized_of);
}

std::int64_t Samples::within(const LatencyBounds& bounds) const {
  const auto keeps = [](std::optional<std::int64_t> value, const std::optional<Duration>& bound) {
    return !bound || !value || *value <= bound->count();
  };
  return std::count_if(completed_.begin(), completed_.end(), [&](const Latencies& request) {
    return keeps(request.jct, bounds.jct) && keeps(request.ttft, bounds.ttft) &&
           keeps(tpot_of(request), bounds.tpot) &&
           keeps(normalized_of(request), bounds.normalized_latency);
  });
}

std::vector<double> Samples::slowdowns() const {
  std::vector<double> samples;
  samples.reserve(completed_.size());
  for (const Latencies& request : completed_) {
    if (request.alone > 0) samples.push_back(ratio(request.jct, request.alone));
  }
  return samples;
}

Distribution Samples::slowdown() const {
  return distribution_of(slowdowns());
}

std::optional<double> Samples::jain_fairness() const {
  if (slowdown_by_tenant_.size() <= 1) return tokenyard::jain_fairness(slowdowns());
  std::vector<double> means;
  for (const auto& [tenant, sum_and_count] : slowdown_by_tenant_) {
    means.push_back(sum_and_count.first / static_cast<double>(sum_and_count.second));
  }
  return tokenyard::jain_fairness(means);
}

}  // namespace tokenyard
