#include "experiments/report/goodput.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "sim/kernel/input_error.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

namespace {

using Metric = LatencyBound::Metric;

constexpr std::array kNames = {std::pair{"jct_s", Metric::jct}, std::pair{"ttft_s", Metric::ttft},
                               std::pair{"tpot_s", Metric::tpot},
                               std::pair{"normalized_latency_s", Metric::normalized_latency}};

double value_of(const RequestSample& request, Metric metric) {
  switch (metric) {
    case Metric::jct:
      return request.jct_s;
    case Metric::ttft:
      return static_cast<double>(request.ttft_s);
    case Metric::tpot:
      return static_cast<double>(request.tpot_s);
    case Metric::normalized_latency:
      break;
  }
  return request.jct_s / std::max<double>(1, request.output_tokens);
}

}  // namespace

LatencyBound parse_latency_bound(std::string_view text) {
  const auto at = text.find("<=");
  const auto refuse = [&](const char* why) {
    return InputError(fmt::format("--slo '{}': {}", printable(text), why));
  };
  if (at == std::string_view::npos) throw refuse("expected METRIC<=SECONDS, such as ttft_s<=1");
  const auto found = std::ranges::find_if(
      kNames, [&](const auto& name) { return text.substr(0, at) == name.first; });
  if (found == kNames.end()) {
    throw refuse("a bound of each request is on jct_s, ttft_s, tpot_s or normalized_latency_s");
  }
  const auto seconds = parse_number(text.substr(at + 2));
  if (!seconds || *seconds <= 0) throw refuse("expected a positive number of seconds after <=");
  return {found->second, *seconds, std::string(text)};
}

std::int64_t count_within(const RunSamples& run, std::span<const LatencyBound> bounds) {
  return std::ranges::count_if(run.finished, [&](const RequestSample& request) {
    return std::ranges::all_of(bounds, [&](const LatencyBound& bound) {
      return value_of(request, bound.metric) <= bound.bound_s;
    });
  });
}

}  // namespace tokenyard
