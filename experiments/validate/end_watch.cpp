#include "experiments/validate/end_watch.hpp"

#include <algorithm>

namespace tokenyard {

void EndWatch::ended(const RequestFacts& facts) {
  ends_.push_back(facts.ended);
  first_ = std::min(first_, facts.request.arrival);
  last_ = std::max(last_, facts.request.arrival);
}

double EndWatch::served_per_s() const {
  std::vector<Time> ends = ends_;
  std::sort(ends.begin(), ends.end());
  const std::size_t most = std::max<std::size_t>(1, ends.size() * 9 / 10);
  const Duration until = std::max(Duration{1}, ends[most - 1] - first_);
  return static_cast<double>(most) / to_seconds(until);
}

double EndWatch::arriving_per_s() const {
  const Duration span = std::max(Duration{1}, last_ - first_);
  return static_cast<double>(ends_.size() - 1) / to_seconds(span);
}

}  // namespace tokenyard
