#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "experiments/costs/profile_grid.hpp"
#include "sim/kernel/time.hpp"

namespace tokenyard {

/// What is measured with: an engine, or a test's invention.
class ProfiledMachine {
 public:
  virtual ~ProfiledMachine() = default;
  virtual Duration iteration(const ProfilePoint& point) = 0;
  virtual Duration copy(std::int64_t blocks, bool to_host) = 0;
  virtual Time now() = 0;  ///< for the time allowed
};

/// How a profile is taken. A value type.
struct ProfilePlan {
  ProfileLimits limits;
  std::uint64_t seed = 1;
  int rounds_least = 3;
  int rounds_most = 25;
  Duration allowed = std::chrono::seconds(90);  ///< no round begins after it but the least
  std::string source;                           ///< in the file: what was measured
};

/// A copy of so many blocks, one way.
struct CopyPoint {
  std::int64_t blocks = 0;
  bool to_host = true;
};

/// Measures every point of the grid and copies of several sizes in rounds that each go through all
/// of them in an order of their own, so that what drifts is shared by all. Keeps all times. Whoever
/// calls decides when the next round is due. Refers to the machine; one thread.
class ProfileRounds {
 public:
  /// Seconds that a point took, a round each.
  using Times = std::vector<double>;

  /// `machine` must outlive it. Measures nothing yet.
  ProfileRounds(ProfiledMachine& machine, ProfilePlan plan);

  /// Measures everything once more and returns how long that took; `told` hears of each
  /// measurement. The first round warms up: its times are dropped.
  Duration measure(const std::function<void()>& told);

  /// Rounds that count.
  int count() const { return count_; }
  /// Of a round.
  std::int64_t measurements() const {
    return static_cast<std::int64_t>(points_.size() + copies_.size());
  }

  const ProfilePlan& plan() const { return plan_; }
  const std::vector<ProfilePoint>& points() const { return points_; }
  const std::vector<CopyPoint>& copies() const { return copies_; }
  const std::vector<Times>& iteration_times() const { return iteration_times_; }  ///< by point
  const std::vector<Times>& copy_times() const { return copy_times_; }

 private:
  ProfiledMachine& machine_;
  const ProfilePlan plan_;
  const std::vector<ProfilePoint> points_;
  const std::vector<CopyPoint> copies_;
  std::vector<Times> iteration_times_;
  std::vector<Times> copy_times_;
  int count_ = -1;  ///< before the one that warms up
};

}  // namespace tokenyard
