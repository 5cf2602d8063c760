#pragma once
// Queues in continuous time as serving systems: a job's size is so many small tokens, and what
// their length distorts is taken out by halving it.

#include <array>
#include <cmath>
#include <ostream>
#include <sstream>

#include "tests/queueing/theory_case.hpp"

namespace tokenyard::test {

/// Sizes in seconds, drawn as prompts of `kPromptTokensASecond`, and their first two moments.
struct SizeLaw {
  DrawSize draw;
  double mean_s = 1;
  double second_moment_s2 = 0;
};

/// Hyperexponential with balanced means and a squared coefficient of variation of 4.
inline SizeLaw hyperexponential_law() {
  return {hyperexponential_size(), 1, 5};
}

inline SizeLaw exponential_law() {
  return {exponential_size(), 1, 2};
}

/// Uniform from 0 to 2.
inline SizeLaw uniform_law() {
  return {[](Rng& rng) { return prompt_of(2 * boost::random::uniform_01<double>()(rng)); }, 1,
          4.0 / 3};
}

inline SizeLaw bounded_pareto_law() {
  return {bounded_pareto_size(), 1.425178147, 14.25178147};
}

/// Sizes in whole output tokens. Rounding up adds half a token on average, so sizes are first made
/// smaller by the share that keeps the load: a load that moved with the token would hide the rest
/// of its effect.
inline DrawSize in_tokens(const SizeLaw& law, double token_s) {
  const double tokens_a_second = (1 - token_s / (2 * law.mean_s)) / token_s;
  return [draw = law.draw, tokens_a_second](Rng& rng) {
    const auto seconds = static_cast<double>(draw(rng).prompt_tokens) / kPromptTokensASecond;
    return JobSize{1,
                   std::max<std::int64_t>(1, std::llround(std::ceil(seconds * tokens_a_second)))};
  };
}

/// What serves sizes in tokens of `token_s`.
using MakeServer = QueueSystem (*)(std::string id, double arrival_rate, DrawSize tokens,
                                   double token_s);

/// Processor sharing: all who are there run in each iteration, a token each, and it takes as long
/// as all these tokens.
inline QueueSystem sharing_server(std::string id, double arrival_rate, DrawSize tokens,
                                  double token_s) {
  constexpr std::int64_t kEverybody = 1'000'000;
  QueueSystem system =
      batch_server(std::move(id), arrival_rate, std::move(tokens), kEverybody, 0, token_s);
  system.limits.max_num_batched_tokens = kEverybody;
  return system;
}

/// All the time of a job goes into its prompt, a token an iteration. It has as many output tokens;
/// they cost nothing, but until the first comes the output that is still to come is the whole size.
inline QueueSystem whole_size_server(std::string id, double arrival_rate, DrawSize tokens,
                                     double token_s) {
  QueueSystem system;
  system.id = std::move(id);
  system.arrival_rate = arrival_rate;
  system.draw = [tokens = std::move(tokens)](Rng& rng) {
    JobSize size = tokens(rng);
    size.prompt_tokens = size.output_tokens;
    return size;
  };
  system.cost.prefill_token_s = token_s;
  system.limits = one_at_a_time();
  system.limits.chunk_tokens = 1;
  return system;
}

struct ContinuousCase {
  std::string id;
  double arrival_rate = 0;
  SizeLaw law;
  MakeServer server = nullptr;
  std::string policy;
  double token_s = 0;         ///< the coarsest; halved twice
  std::size_t jobs = 0;       ///< a replication, in the ordinary form; 0 = not in it
  std::size_t slow_jobs = 0;  ///< a replication, in the long form
  Form form = Form::ordinary;
};

inline void PrintTo(const ContinuousCase& c, std::ostream* out) {
  *out << c.id << " under " << c.policy;
}

/// Mean T under FCFS of the very same jobs in continuous time, a value a replication (Lindley's
/// recursion).
inline std::vector<double> fcfs_mean_times_s(const ContinuousCase& c, Effort effort) {
  const QueueSystem system = single_server(c.id, c.arrival_rate, c.law.draw);
  std::vector<double> means;
  for (std::uint64_t seed = 1; seed <= effort.replications; ++seed) {
    const std::vector<Job> jobs = draw_jobs(system, seed, effort.jobs);
    const std::size_t first = effort.first_counted(), last = effort.last_counted();
    double free = 0, sum = 0;
    for (std::size_t i = 0; i < last; ++i) {
      const double arrival = to_seconds(jobs[i].arrival - kOrigin);
      free = std::max(free, arrival) +
             static_cast<double>(jobs[i].prompt_tokens) / kPromptTokensASecond;
      if (i >= first) sum += free - arrival;
    }
    means.push_back(sum / static_cast<double>(last - first));
  }
  return means;
}

/// The mean of `sample` at the place where the mean of `control` is its known one: regression on a
/// control variate. The standard error is that of the regression line there.
inline Estimate controlled(const std::vector<double>& sample, const std::vector<double>& control,
                           double known_mean) {
  const auto count = static_cast<double>(sample.size());
  const double mean = estimate(sample).mean, control_mean = estimate(control).mean;
  double products = 0, squares = 0, residuals = 0;
  for (std::size_t i = 0; i < sample.size(); ++i) {
    products += (sample[i] - mean) * (control[i] - control_mean);
    squares += (control[i] - control_mean) * (control[i] - control_mean);
  }
  const double slope = products / squares, off = known_mean - control_mean;
  for (std::size_t i = 0; i < sample.size(); ++i) {
    const double residual = sample[i] - mean - slope * (control[i] - control_mean);
    residuals += residual * residual;
  }
  const double variance = residuals / (count - 2);
  return {mean + slope * off, std::sqrt(variance * (1 / count + off * off / squares))};
}

/// One metric at the three tokens, and what they tell of an endless small one.
struct Halvings {
  Metric metric;
  Estimate at[3];  ///< token_s, token_s / 2, token_s / 4
  Estimate limit;
  Estimate change[2];  ///< by the first halving and by the second, on the same jobs
  Estimate bend;       ///< the second change less the first

  /// By how much the second halving changes more than the first; below 0 as the token's effect
  /// shrinks with it. Its standard error is that of `bend`.
  double growth() const { return std::abs(change[1].mean) - std::abs(change[0].mean); }
};

struct Continuous {
  std::vector<Halvings> metrics;
  bool complete = true;
};

/// The share of each token's estimate in the limit.
///
/// An arrival waits for the token that runs, so T is off by a x token to first order, and
/// 2 x (finer) - (coarser) takes that out (Richardson). Of T / S the small jobs see most: the sum
/// of token / S over S from a token upward is of the order of token x log(1 / token). Under this
/// the same step halves the rest exactly, so a second one takes it out:
/// 2 x (2 e2 - e1) - (2 e1 - e0).
inline std::array<double, 3> shares_in_limit(Metric metric) {
  if (metric == Metric::mean_slowdown) return {1, -4, 4};
  return {0, -1, 2};
}

/// Runs the case with all three tokens on the same jobs. What chance does to FCFS it does to every
/// policy, and for FCFS the mean is known (F1); `controlled` takes that share out.
inline Continuous halve_tokens(const ContinuousCase& c, const MakePolicy& make,
                               const std::vector<Metric>& metrics, Effort effort) {
  Continuous result;
  std::vector<Samples> samples;
  for (const double token_s : {c.token_s, c.token_s / 2, c.token_s / 4}) {
    const QueueSystem system = c.server(c.id, c.arrival_rate, in_tokens(c.law, token_s), token_s);
    samples.push_back(replicate(system, make, metrics, effort));
    result.complete = result.complete && samples.back().complete;
  }
  const std::vector<double> fcfs = fcfs_mean_times_s(c, effort);
  const double rho = c.arrival_rate * c.law.mean_s;
  const double fcfs_mean_s =
      c.law.mean_s + c.arrival_rate * c.law.second_moment_s2 / (2 * (1 - rho));
  for (std::size_t m = 0; m < metrics.size(); ++m) {
    const auto combined = [&](const std::array<double, 3>& shares) {
      std::vector<double> sample(effort.replications);
      for (std::size_t r = 0; r < sample.size(); ++r) {
        for (std::size_t t = 0; t < 3; ++t) sample[r] += shares[t] * samples[t].values[m][r];
      }
      return sample;
    };
    const auto value = [&](const std::array<double, 3>& shares) {
      return controlled(combined(shares), fcfs, fcfs_mean_s);
    };
    result.metrics.push_back({metrics[m],
                              {value({1, 0, 0}), value({0, 1, 0}), value({0, 0, 1})},
                              value(shares_in_limit(metrics[m])),
                              {estimate(combined({-1, 1, 0})), estimate(combined({0, -1, 1}))},
                              estimate(combined({1, -2, 1}))});
  }
  return result;
}

/// The estimates at the three tokens and the changes between, with their standard errors.
inline std::string in_words(const Halvings& h) {
  std::ostringstream words;
  for (const Estimate& e : h.at) words << e.mean << " (" << e.standard_error << "), ";
  words << "changes";
  for (const Estimate& e : h.change) words << " " << e.mean << " (" << e.standard_error << ")";
  return words.str();
}

}  // namespace tokenyard::test
