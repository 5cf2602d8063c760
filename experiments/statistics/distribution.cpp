#include "experiments/statistics/distribution.hpp"

#include <algorithm>
#include <array>
#include <bit>

#include "experiments/statistics/radix_sort.hpp"
#include "sim/kernel/invariant.hpp"

namespace tokenyard {

namespace {

constexpr double kNanosecondsPerSecond = 1e9;

double seconds(std::int64_t nanoseconds) {
  return static_cast<double>(nanoseconds) / kNanosecondsPerSecond;
}

double mean_seconds(WideInteger sum, std::int64_t count) {
  return static_cast<double>(sum) / (static_cast<double>(count) * kNanosecondsPerSecond);
}

/// The samples' ranks of the percentiles, ascending, the greatest last.
std::array<std::int64_t, 5> ranks_of(std::int64_t count) {
  return {nearest_rank(count, 500), nearest_rank(count, 900), nearest_rank(count, 950),
          nearest_rank(count, 990), count};
}

void set_percentiles(Distribution& result, const std::array<double, 5>& values) {
  result.p50 = values[0];
  result.p90 = values[1];
  result.p95 = values[2];
  result.p99 = values[3];
  result.max = values[4];
}

/// An integer that orders as the number does: IEEE 754 orders those of one sign by their bits.
std::uint64_t ordered_bits(double value) {
  constexpr std::uint64_t kSign = std::uint64_t{1} << 63;
  const auto bits = std::bit_cast<std::uint64_t>(value);
  return (bits & kSign) != 0 ? ~bits : bits | kSign;
}

double from_ordered_bits(std::uint64_t bits) {
  constexpr std::uint64_t kSign = std::uint64_t{1} << 63;
  return std::bit_cast<double>((bits & kSign) != 0 ? bits & ~kSign : ~bits);
}

}  // namespace

std::int64_t nearest_rank(std::int64_t count, std::int64_t permille) {
  invariant(count >= 1 && permille >= 0 && permille <= 1000, "I11 a percentile has samples",
            "rank of {}/1000 among {} samples", permille, count);
  const auto product = static_cast<WideInteger>(count) * permille;
  return std::max<std::int64_t>(1, static_cast<std::int64_t>((product + 999) / 1000));
}

Distribution distribution_of_nanoseconds(std::vector<std::int64_t> samples) {
  Distribution result;
  if (samples.empty()) return result;
  WideInteger sum = 0;
  for (const auto sample : samples) sum += sample;
  const auto count = static_cast<std::int64_t>(samples.size());
  result.mean = mean_seconds(sum, count);
  // Each selection leaves what is greater behind it, where the next one looks.
  std::array<double, 5> values{};
  auto from = samples.begin();
  for (std::size_t i = 0; const std::int64_t rank : ranks_of(count)) {
    const auto at = samples.begin() + (rank - 1);
    if (at >= from) {
      std::nth_element(from, at, samples.end());
      from = at + 1;
    }
    values[i++] = seconds(*at);
  }
  set_percentiles(result, values);
  return result;
}

Distribution distribution_of_nanoseconds(const ValueCounts& samples) {
  Distribution result;
  if (samples.total() == 0) return result;
  const auto ranks = ranks_of(samples.total());
  std::array<double, 5> values{};
  std::size_t next = 0;
  WideInteger sum = 0;
  std::int64_t seen = 0;
  samples.for_each([&](std::int64_t value, std::int64_t count) {
    sum += static_cast<WideInteger>(value) * count;
    seen += count;
    for (; next < ranks.size() && seen >= ranks[next]; ++next) values[next] = seconds(value);
  });
  result.mean = mean_seconds(sum, samples.total());
  set_percentiles(result, values);
  return result;
}

Distribution distribution_of(std::vector<double> samples) {
  Distribution result;
  if (samples.empty()) return result;
  std::vector<std::uint64_t> words(samples.size());
  std::transform(samples.begin(), samples.end(), words.begin(), ordered_bits);
  std::vector<double>().swap(samples);
  std::vector<std::uint64_t> scratch;
  radix_sort(words, scratch);
  double sum = 0;
  for (const auto word : words) sum += from_ordered_bits(word);
  const auto count = static_cast<std::int64_t>(words.size());
  result.mean = sum / static_cast<double>(count);
  std::array<double, 5> values{};
  for (std::size_t i = 0; const std::int64_t rank : ranks_of(count)) {
    values[i++] = from_ordered_bits(words[static_cast<std::size_t>(rank - 1)]);
  }
  set_percentiles(result, values);
  return result;
}

std::optional<double> jain_fairness(const std::vector<double>& shares) {
  double sum = 0;
  double squares = 0;
  for (const auto share : shares) {
    sum += share;
    squares += share * share;
  }
  if (squares <= 0) return std::nullopt;
  return sum * sum / (static_cast<double>(shares.size()) * squares);
}

}  // namespace tokenyard
