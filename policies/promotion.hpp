#pragma once

#include <cmath>

#include "sim/ports/policy.hpp"

namespace tokenyard {

inline Duration milliseconds(double ms) {
  return Duration(std::llround(ms * 1e6));
}

/// When a request that has waited long comes back to the top of feedback queues: after
/// `promote_after_ms` (0: never), and where `promote_check_ms` is positive at the next multiple of
/// it, since FastServe's published code looks only now and then. A value type.
class Promotion {
 public:
  explicit Promotion(Parameters& p) {
    after_ = milliseconds(
        p.number("promote_after_ms", 0, 0, 1e9, "to level 0 after waiting this long; 0 = never"));
    check_ = milliseconds(p.number("promote_check_ms", 0, 0, 1e9,
                                   "promotes at multiples of this only; 0 = at each boundary"));
  }

  bool never() const { return after_ == Duration{0}; }

  /// Of a request that has waited since then; only where it is not `never`.
  Time at(Time waits_since) const {
    const Time due = waits_since + after_;
    if (check_ == Duration{0}) return due;
    const auto looks = ((due - kOrigin).count() + check_.count() - 1) / check_.count();
    return kOrigin + looks * check_;
  }

 private:
  Duration after_{0}, check_{0};
};

}  // namespace tokenyard
