#pragma once

#include <cstdint>

#include "sim/kernel/clock.hpp"

namespace tokenyard {

/// A line on the terminal while an engine is profiled: measurements done out of all, as far as that
/// is known, and the time left. Nothing where standard error is no terminal. One thread.
class ProfileProgress {
 public:
  explicit ProfileProgress(bool quiet);
  ~ProfileProgress();  ///< wipes the line
  ProfileProgress(const ProfileProgress&) = delete;
  ProfileProgress& operator=(const ProfileProgress&) = delete;

  void show(std::int64_t done, std::int64_t of);

 private:
  bool visible_;
  WallClock clock_;
  Duration printed_{0};
};

}  // namespace tokenyard
