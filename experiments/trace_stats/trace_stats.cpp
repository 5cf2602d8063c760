#include "experiments/trace_stats/trace_stats.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "experiments/statistics/distribution.hpp"
#include "sim/ports/block_hash.hpp"
#include "traces/parents.hpp"

namespace tokenyard {

namespace {

constexpr std::int64_t kMinuteNs = 60'000'000'000;

TokenStats token_stats(const ValueCounts& counts) {
  TokenStats stats;
  std::int64_t before = 0;
  const std::int64_t count = counts.total();
  counts.for_each([&](std::int64_t tokens, std::int64_t times) {
    const auto covers = [&](std::int64_t permille) {
      const std::int64_t rank = nearest_rank(count, permille);
      return before < rank && rank <= before + times;
    };
    if (covers(500)) stats.p50 = tokens;
    if (covers(900)) stats.p90 = tokens;
    if (covers(990)) stats.p99 = tokens;
    stats.max = tokens;
    stats.total += tokens * times;
    before += times;
  });
  stats.mean = static_cast<double>(stats.total) / static_cast<double>(count);
  return stats;
}

/// Sums for a standard deviation or a correlation, kept about the first values so that nothing
/// cancels.
class Moments {
 public:
  void add(double x, double y) {
    if (count_++ == 0) {
      x0_ = x;
      y0_ = y;
    }
    x -= x0_;
    y -= y0_;
    x_ += x;
    y_ += y;
    xx_ += x * x;
    yy_ += y * y;
    xy_ += x * y;
  }

  double mean_x() const { return x0_ + x_ / n(); }
  /// Of a sample, with n - 1.
  double variance_x() const { return (xx_ - x_ * x_ / n()) / (n() - 1); }
  std::optional<double> correlation() const {
    const double xx = xx_ - x_ * x_ / n(), yy = yy_ - y_ * y_ / n();
    if (count_ < 2 || !(xx > 0) || !(yy > 0)) return std::nullopt;
    return (xy_ - x_ * y_ / n()) / std::sqrt(xx * yy);
  }
  std::int64_t count() const { return count_; }

 private:
  double n() const { return static_cast<double>(count_); }

  std::int64_t count_ = 0;
  double x0_ = 0, y0_ = 0;
  double x_ = 0, y_ = 0, xx_ = 0, yy_ = 0, xy_ = 0;
};

/// Remembers every block ever named, chained so that a block counts only behind the same prefix.
class InfiniteCache {
 public:
  /// Tokens of the prompt that it finds; then it knows the prompt.
  std::int64_t find(const TraceView::Place& place, const TraceOptions& options) {
    const std::int64_t input = place.table().input_tokens(place.at);
    const std::int64_t block_tokens = place.trace->block_tokens;
    const std::int64_t whole = input / block_tokens;
    BlockHash last = chain_of(place.table().tenant(place.at));
    std::int64_t blocks = 0, found = 0;
    for (const std::int64_t name : place.trace->block_hashes.at(options.block_hashes)) {
      if (blocks == whole) break;
      last = chain(last, static_cast<std::uint64_t>(name));
      const bool fresh = seen_.insert(static_cast<std::uint64_t>(last)).second;
      if (!fresh && found == blocks) ++found;
      ++blocks;
    }
    if (found * block_tokens == input) --found;
    return found * block_tokens;
  }

 private:
  std::unordered_set<std::uint64_t> seen_;  ///< looked up only
};

ProgramStats program_stats(const Trace& trace) {
  ProgramStats stats;
  std::vector<std::int64_t> requests;
  for (const std::uint32_t program : programs_of(trace)) {
    if (program == requests.size()) requests.push_back(0);
    ++requests[program];
  }
  stats.programs = static_cast<std::int64_t>(requests.size());
  stats.requests_most = *std::ranges::max_element(requests);
  for (const CriticalPath& path : critical_paths(trace)) {
    stats.critical_path_requests_mean += static_cast<double>(path.requests);
    stats.critical_path_output_tokens_mean += static_cast<double>(path.output_tokens);
    stats.critical_path_delay_s_mean += to_seconds(path.delay);
  }
  const auto programs = static_cast<double>(stats.programs);
  stats.critical_path_requests_mean /= programs;
  stats.critical_path_output_tokens_mean /= programs;
  stats.critical_path_delay_s_mean /= programs;
  return stats;
}

}  // namespace

TraceStats trace_stats(const TraceSurvey& survey, TraceView& view, const std::string& name) {
  TraceStats stats;
  stats.name = name;
  stats.counts = survey.counts;
  stats.requests = static_cast<std::int64_t>(view.size());
  stats.tenants = static_cast<std::int64_t>(survey.tenants.size());
  Moments gaps, lengths;
  InfiniteCache cache;
  Time first = kOrigin, last = kOrigin;
  for (std::size_t id = 0; id < view.size(); ++id) {
    view.need(id);
    const TraceView::Place place = view.place(id);
    const RequestTable& table = place.table();
    const Time arrival = table.arrival(place.at);
    if (id == 0) first = arrival;
    if (id > 0) gaps.add(to_seconds(arrival - last), 0);
    last = arrival;
    const std::int64_t minute = (arrival - first).count() / kMinuteNs;
    auto& minutes = stats.arrivals_a_minute;
    if (minutes.empty() || minutes.back().first != minute) minutes.emplace_back(minute, 0);
    ++minutes.back().second;
    const std::int64_t input = table.input_tokens(place.at);
    const std::int64_t output = table.output_tokens(place.at);
    stats.input_counts.add(input, 1);
    stats.output_counts.add(output, 1);
    lengths.add(static_cast<double>(input), static_cast<double>(output));
    const TraceOptions* const options = table.options(place.at);
    if (options != nullptr && options->block_hashes.count > 0) {
      if (!stats.prefixes) stats.prefixes = PrefixStats{place.trace->block_tokens, 0, 0};
      const std::int64_t found = cache.find(place, *options);
      stats.prefixes->requests += found > 0 ? 1 : 0;
      stats.prefixes->tokens += found;
    }
    view.forget_before(id);
  }
  stats.span_s = to_seconds(last - first);
  if (stats.span_s > 0) {
    stats.request_rate = static_cast<double>(stats.requests - 1) / stats.span_s;
    const double a_minute = static_cast<double>(stats.requests) / stats.span_s * 60;
    std::int64_t peak = 0;
    for (const auto& [minute, arrivals] : stats.arrivals_a_minute) peak = std::max(peak, arrivals);
    if (stats.span_s >= 60) stats.peak_minute_over_mean = static_cast<double>(peak) / a_minute;
    if (gaps.count() > 1) stats.gap_cv = std::sqrt(gaps.variance_x()) / gaps.mean_x();
  }
  stats.input_tokens = token_stats(stats.input_counts);
  stats.output_tokens = token_stats(stats.output_counts);
  stats.length_correlation = lengths.correlation();
  const Trace* const whole = view.whole();
  if (whole != nullptr && !whole->parents.empty()) stats.programs = program_stats(*whole);
  return stats;
}

}  // namespace tokenyard
