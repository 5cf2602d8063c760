#pragma once
// What tests of drawn workloads measure.

#include <gmock/gmock.h>

#include <cmath>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "tests/traces/made_up_files.hpp"
#include "traces/generate.hpp"

namespace tokenyard {

/// Specs that `make` must refuse, each with a part of what is said about it.
inline void expect_refusals(
    const std::function<void(const std::string&)>& make,
    std::initializer_list<std::pair<const char*, const char*>> specs_and_parts) {
  for (const auto& [spec, part] : specs_and_parts) {
    const std::string text = spec;
    EXPECT_THAT(message_of([&] { make(text); }), testing::HasSubstr(part)) << text;
  }
}

inline constexpr const char* kOneToken = "fixed:prompt=1,output=1";

inline Trace draw(std::int64_t requests, const std::string& arrivals, const std::string& lengths,
                  std::uint64_t seed = 1) {
  return generate({requests, arrivals, lengths, {}}, seed);
}

/// All requests of so many seconds.
inline Trace draw_for(double duration_s, const std::string& arrivals,
                      const std::string& lengths = kOneToken, std::uint64_t seed = 1) {
  WorkloadPlan plan{0, arrivals, lengths, {}};
  plan.duration_s = duration_s;
  return generate(plan, seed);
}

struct Moments {
  double mean = 0;
  double cv = 0;
};

inline Moments moments(const std::vector<double>& values) {
  double sum = 0;
  double squares = 0;
  for (const double value : values) sum += value;
  const double count = static_cast<double>(values.size());
  const double mean = sum / count;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return {mean, std::sqrt(squares / count) / mean};
}

inline std::vector<double> gaps_of(const Trace& trace) {
  std::vector<double> gaps;
  Time before = kOrigin;
  for (std::size_t i = 0; i < trace.requests.size(); ++i) {
    gaps.push_back(to_seconds(trace.requests.arrival(i) - before));
    before = trace.requests.arrival(i);
  }
  return gaps;
}

inline Moments gaps_s(const Trace& trace) {
  return moments(gaps_of(trace));
}

/// How many requests arrive in each window of so many seconds, folded over `period_s` if that is
/// above 0.
inline std::vector<double> counts_of(const Trace& trace, double window_s, std::size_t windows,
                                     double period_s = 0) {
  std::vector<double> counts(windows);
  for (std::size_t i = 0; i < trace.requests.size(); ++i) {
    double at_s = to_seconds(trace.requests.arrival(i) - kOrigin);
    if (period_s > 0) at_s = std::fmod(at_s, period_s);
    const auto window = static_cast<std::size_t>(at_s / window_s);
    if (window < windows) ++counts[window];
  }
  return counts;
}

inline std::vector<double> prompts_of(const Trace& trace) {
  std::vector<double> values;
  for (const auto& r : trace.requests) values.push_back(static_cast<double>(r.input_tokens));
  return values;
}

inline std::vector<double> outputs_of(const Trace& trace) {
  std::vector<double> values;
  for (const auto& r : trace.requests) values.push_back(static_cast<double>(r.output_tokens));
  return values;
}

inline Moments prompts(const Trace& trace) {
  return moments(prompts_of(trace));
}

inline Moments outputs(const Trace& trace) {
  return moments(outputs_of(trace));
}

}  // namespace tokenyard
