#pragma once
// Many small experiments with known truth, and how often a statistic was right.

#include <gtest/gtest.h>

#include <boost/math/distributions/binomial.hpp>
#include <cstdint>
#include <functional>
#include <numeric>
#include <string>
#include <vector>

#include "tests/queueing/replications.hpp"

namespace tokenyard::test {

/// A share of experiments with its 99 % interval by Clopper and Pearson ("The use of confidence or
/// fiducial limits illustrated in the case of the binomial", Biometrika 26, 1934).
struct Share {
  std::int64_t hits = 0, experiments = 0;

  double value() const { return static_cast<double>(hits) / static_cast<double>(experiments); }
  double low() const { return bound(false); }
  double high() const { return bound(true); }

  /// For the test's record and its messages.
  std::string text() const {
    return std::to_string(hits) + " of " + std::to_string(experiments) + " (99 % interval " +
           std::to_string(low()) + " to " + std::to_string(high()) + ")";
  }

 private:
  double bound(bool upper) const {
    using boost::math::binomial;
    constexpr double kTail = 0.005;
    const auto n = static_cast<double>(experiments), k = static_cast<double>(hits);
    return upper ? binomial::find_upper_bound_on_p(n, k, kTail)
                 : binomial::find_lower_bound_on_p(n, k, kTail);
  }
};

/// Times from arrival to completion, by job.
class JobTimes final : public Observer {
 public:
  explicit JobTimes(std::size_t jobs) : seconds_(jobs) {}

  bool watches_iterations() const override { return false; }
  void ended(const RequestFacts& facts) override {
    seconds_[index(facts.request.id)] = to_seconds(facts.ended - facts.request.arrival);
  }
  const std::vector<double>& seconds() const { return seconds_; }

 private:
  std::vector<double> seconds_;
};

inline std::vector<double> job_times(const QueueSystem& system, const std::string& policy,
                                     std::uint64_t seed, std::size_t jobs) {
  JobTimes times(jobs);
  serve_jobs(
      system, [&] { return make_policy(policy); }, draw_jobs(system, seed, jobs), times);
  return times.seconds();
}

/// The mean over the jobs between the first and the last tenth.
inline double middle_mean(const std::vector<double>& times) {
  const auto tenth = static_cast<std::ptrdiff_t>(times.size() / 10);
  const double sum = std::accumulate(times.begin() + tenth, times.end() - tenth, 0.0);
  return sum / static_cast<double>(times.size() - 2 * static_cast<std::size_t>(tenth));
}

/// The mean time of one replication.
inline double replication_mean(const QueueSystem& system, const std::string& policy,
                               std::uint64_t seed, std::size_t jobs) {
  return middle_mean(job_times(system, policy, seed, jobs));
}

}  // namespace tokenyard::test
