#pragma once
// The queues of the oracles as serving systems: a job is a request, its size its tokens.

#include <boost/random/discrete_distribution.hpp>
#include <boost/random/exponential_distribution.hpp>
#include <boost/random/geometric_distribution.hpp>
#include <boost/random/uniform_01.hpp>
#include <cmath>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "models/linear_cost_model.hpp"
#include "sim/kernel/rng.hpp"
#include "sim/server/settings.hpp"
#include "tests/support/simulation.hpp"

namespace tokenyard::test {

struct JobSize {
  std::int64_t prompt_tokens = 1;
  std::int64_t output_tokens = 1;
};
using DrawSize = std::function<JobSize(Rng&)>;

/// One queue: who comes, and what serves them. Each case draws from streams of its own, so that
/// one unlucky sample cannot fail (or pass) several.
struct QueueSystem {
  std::string id;           ///< of the case
  double arrival_rate = 0;  ///< Poisson, per second
  DrawSize draw;
  LinearCoefficients cost;
  Limits limits;
};

/// Prompt tokens in a second of service where a job's whole size is its prompt (and its one output
/// token comes with it): so fine that rounding to whole tokens is far below any standard error.
inline constexpr double kPromptTokensASecond = 1e6;

inline JobSize prompt_of(double seconds) {
  return {std::max<std::int64_t>(1, std::llround(seconds * kPromptTokensASecond)), 1};
}

inline DrawSize exponential_size() {
  return
      [](Rng& rng) { return prompt_of(boost::random::exponential_distribution<double>(1.0)(rng)); };
}

inline DrawSize constant_size() {
  return [](Rng&) { return prompt_of(1.0); };
}

/// Hyperexponential, mean 1, squared coefficient of variation 4, balanced means.
inline DrawSize hyperexponential_size() {
  return [](Rng& rng) {
    const bool first = boost::random::uniform_01<double>()(rng) < 0.8872983346;
    const double mean = first ? 0.5635083269 : 4.436491673;
    return prompt_of(mean * boost::random::exponential_distribution<double>(1.0)(rng));
  };
}

/// Bounded Pareto on [0.5, 200] with alpha 1.5, by inversion.
inline DrawSize bounded_pareto_size() {
  return [](Rng& rng) {
    constexpr double kAlpha = 1.5, kLow = 0.5, kHigh = 200;
    const double u = boost::random::uniform_01<double>()(rng);
    const double mass = 1 - std::pow(kLow / kHigh, kAlpha);
    return prompt_of(kLow * std::pow(1 - u * mass, -1 / kAlpha));
  };
}

/// Output tokens n with probability p, for each (n, p).
inline DrawSize discrete_tokens(const std::vector<std::pair<std::int64_t, double>>& mass) {
  std::vector<std::int64_t> tokens;
  std::vector<double> weights;
  for (const auto& [n, p] : mass) {
    tokens.push_back(n);
    weights.push_back(p);
  }
  const boost::random::discrete_distribution<std::size_t, double> pick(weights);
  return [tokens, pick](Rng& rng) { return JobSize{1, tokens[pick(rng)]}; };
}

/// Output tokens n >= 1 with P(n) = q (1 - q)^(n - 1).
inline DrawSize geometric_tokens(double q) {
  return [q](Rng& rng) {
    return JobSize{1, 1 + boost::random::geometric_distribution<std::int64_t, double>(q)(rng)};
  };
}

/// Memory is no part of the theory: a block holds any request.
inline constexpr std::int64_t kTokensABlock = 1'000'000'000;

/// One request at a time, whatever its length.
inline Limits one_at_a_time() {
  Limits limits;
  limits.max_num_seqs = 1;
  return limits;
}

/// M/G/1 with sizes in seconds.
inline QueueSystem single_server(std::string id, double arrival_rate, DrawSize draw) {
  LinearCoefficients cost;
  cost.prefill_token_s = 1 / kPromptTokensASecond;
  return {std::move(id), arrival_rate, std::move(draw), cost, one_at_a_time()};
}

/// M/G/1 with sizes in output tokens of equal length, the first (with its prompt of one token)
/// like the others.
inline QueueSystem token_server(std::string id, double arrival_rate, DrawSize draw,
                                double token_s) {
  LinearCoefficients cost;
  cost.iteration_s = token_s;
  return {std::move(id), arrival_rate, std::move(draw), cost, one_at_a_time()};
}

/// A batch server: a step of b members takes step_s + member_s b.
inline QueueSystem batch_server(std::string id, double arrival_rate, DrawSize draw,
                                std::int64_t cap, double step_s, double member_s) {
  LinearCoefficients cost;
  cost.iteration_s = step_s;
  cost.prefill_token_s = member_s;  // prompts have one token
  cost.decode_sequence_s = member_s;
  Limits limits;
  limits.max_num_seqs = cap;
  return {std::move(id), arrival_rate, std::move(draw), cost, limits};
}

/// The token counts of S17 to S22: 7.43 on average, half of the work in the longest tenth.
inline DrawSize seven_token_counts() {
  return discrete_tokens(
      {{1, 0.35}, {2, 0.2}, {4, 0.15}, {8, 0.12}, {16, 0.1}, {32, 0.05}, {64, 0.03}});
}

/// S22: tokens of 23 ms; the first takes 20 ms more for seven prompts in ten and 300 ms for the
/// others. In the oracle a request joins the first level whose quantum (50 ms x 2^l) covers this
/// prefill time; ours also counts the token that comes with it. Here both give the levels 0 and 3:
/// 20 and 43 ms are within 50 ms, 300 and 323 ms between 200 and 400 ms.
inline QueueSystem two_prompt_classes(std::string id) {
  QueueSystem system;
  system.id = std::move(id);
  system.arrival_rate = 2.728364073;
  system.draw = [counts = seven_token_counts()](Rng& rng) {
    JobSize size = counts(rng);
    size.prompt_tokens = boost::random::uniform_01<double>()(rng) < 0.7 ? 20 : 300;
    return size;
  };
  system.cost.iteration_s = 0.023;
  system.cost.prefill_token_s = 0.001;
  system.limits = one_at_a_time();
  return system;
}

/// S30: a batch of up to four starts when the server is free, runs as many steps as its longest
/// member has tokens, and all members return at its end.
inline QueueSystem static_batch_server(std::string id) {
  const auto counts =
      discrete_tokens({{1, 0.1}, {3, 0.25}, {6, 0.25}, {10, 0.2}, {20, 0.12}, {40, 0.08}});
  QueueSystem system = batch_server(std::move(id), 4.8, counts, 4, 0.02, 0.0025);
  system.limits.static_batching = true;
  return system;
}

inline std::vector<Job> draw_jobs(const QueueSystem& system, std::uint64_t seed,
                                  std::size_t count) {
  Rng arrivals = named_stream(seed, "arrivals of " + system.id);
  Rng sizes = named_stream(seed, "lengths of " + system.id);
  boost::random::exponential_distribution<double> gap(system.arrival_rate);
  std::vector<Job> jobs(count);
  Time at = kOrigin;
  for (Job& job : jobs) {
    at += from_seconds(gap(arrivals));
    const JobSize size = system.draw(sizes);
    job.arrival = at;
    job.prompt_tokens = size.prompt_tokens;
    job.output_tokens = size.output_tokens;
  }
  return jobs;
}

}  // namespace tokenyard::test
