#pragma once
// The procedure: independent replications, warm-up discarded, a mean with its standard error, and
// the verdict against an oracle.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "models/model_executor.hpp"
#include "sim/kernel/clock.hpp"
#include "sim/server/serve.hpp"
#include "tests/queueing/oracles.hpp"
#include "tests/queueing/queue_system.hpp"

namespace tokenyard::test {

/// Collects T, and T over the job's time alone, of the jobs from `first` on and before `last`.
class ResponseTimes final : public Observer {
 public:
  ResponseTimes(const std::vector<Job>& jobs, const CostModel& cost, std::size_t first,
                std::size_t last)
      : jobs_(jobs), cost_(cost), first_(first), last_(last) {
    times_s_.reserve(last - first);
  }

  void ended(const RequestFacts& facts) override {
    ++ends_;
    if (facts.end != End::finished) ++unfinished_;
    const std::size_t id = index(facts.request.id);
    if (id < first_ || id >= last_) return;
    const Duration time = facts.ended - facts.request.arrival;
    const Job& job = jobs_[id];
    const Duration alone =
        cost_.iteration(IterationLoad::one_prefill(job.prompt_tokens, job.prompt_tokens)) +
        (job.output_tokens - 1) * cost_.iteration(IterationLoad::one_decode(1));
    times_s_.push_back(to_seconds(time));
    slowdown_sum_ += static_cast<double>(time.count()) /
                     static_cast<double>(std::max<Duration::rep>(1, alone.count()));
  }

  bool complete() const { return ends_ == jobs_.size() && unfinished_ == 0; }

  double value(Metric metric) {
    const auto count = static_cast<double>(times_s_.size());
    if (metric == Metric::mean_slowdown) return slowdown_sum_ / count;
    if (metric == Metric::mean_t) {
      double sum = 0;
      for (const double time : times_s_) sum += time;
      return sum / count;
    }
    const auto rank = static_cast<std::ptrdiff_t>(std::ceil(0.99 * count)) - 1;
    std::nth_element(times_s_.begin(), times_s_.begin() + rank, times_s_.end());
    return times_s_[static_cast<std::size_t>(rank)];
  }

 private:
  const std::vector<Job>& jobs_;
  const CostModel& cost_;
  const std::size_t first_, last_;
  std::size_t ends_ = 0, unfinished_ = 0;
  std::vector<double> times_s_;
  double slowdown_sum_ = 0;
};

/// How much to simulate. The seeds are 1 … replications, fixed before any result was seen.
struct Effort {
  std::uint64_t replications = 0;
  std::size_t jobs = 0;  ///< a replication; the first tenth is warm-up and not counted
  /// Nor is the last tenth, where this is set: with nobody behind them jobs that are often
  /// overtaken end too soon, which a short replication would show.
  bool leave_out_end = false;

  std::size_t first_counted() const { return jobs / 10; }
  std::size_t last_counted() const { return leave_out_end ? jobs - jobs / 10 : jobs; }
};

/// The sample of each metric, one value a replication.
struct Samples {
  std::vector<Metric> metrics;
  std::vector<std::vector<double>> values;  ///< by metric
  bool complete = true;                     ///< every job of every replication finished
};

using MakePolicy = std::function<std::unique_ptr<Policy>()>;

/// Serves these jobs to the end.
inline void serve_jobs(const QueueSystem& system, const MakePolicy& make,
                       const std::vector<Job>& jobs, Observer& observer) {
  const LinearCostModel cost(system.cost);
  ServerSettings settings = ample();
  settings.limits = system.limits;
  settings.kv.block_size = kTokensABlock;
  JobWorkload workload(jobs);
  const TruePredictor predictor(workload);
  ModelExecutor executor(cost, workload);
  SimClock clock;
  const auto policy = make();
  Scheduler scheduler(settings, {*policy, cost, &predictor, &workload, observer}, executor.depth(),
                      {.reads_tables = executor.reads_tables()});
  serve(scheduler, clock, workload, executor, observer);
}

inline Samples replicate(const QueueSystem& system, const MakePolicy& make,
                         const std::vector<Metric>& metrics, Effort effort) {
  Samples samples{metrics, std::vector<std::vector<double>>(metrics.size())};
  const LinearCostModel cost(system.cost);
  for (std::uint64_t seed = 1; seed <= effort.replications; ++seed) {
    const std::vector<Job> jobs = draw_jobs(system, seed, effort.jobs);
    ResponseTimes times(jobs, cost, effort.first_counted(), effort.last_counted());
    serve_jobs(system, make, jobs, times);
    samples.complete = samples.complete && times.complete();
    for (std::size_t i = 0; i < metrics.size(); ++i) {
      samples.values[i].push_back(times.value(metrics[i]));
    }
  }
  return samples;
}

struct Estimate {
  double mean = 0;
  double standard_error = 0;
};

inline Estimate estimate(const std::vector<double>& sample) {
  const auto count = static_cast<double>(sample.size());
  double sum = 0;
  for (const double x : sample) sum += x;
  const double mean = sum / count;
  double squares = 0;
  for (const double x : sample) squares += (x - mean) * (x - mean);
  return {mean, std::sqrt(squares / (count - 1) / count)};
}

/// |mean - value| is at most 4 standard errors, and the standard error at most 1 % of the value:
/// without the second half a test would pass for want of data.
inline testing::AssertionResult meets(const Oracle& row, const Estimate& got) {
  const double errors = (got.mean - row.value) / got.standard_error;
  const double relative = got.standard_error / row.value;
  auto verdict = std::abs(errors) <= 4 && relative <= 0.01 ? testing::AssertionSuccess()
                                                           : testing::AssertionFailure();
  return verdict << row.id << " " << name_of(row.metric) << ": " << got.mean << " for " << row.value
                 << " (" << row.formula << "), " << errors << " standard errors of "
                 << 100 * relative << " %";
}

}  // namespace tokenyard::test
