#include "experiments/record/backlog_watch.hpp"

#include <variant>

namespace tokenyard {

void BacklogWatch::fed(Time, std::span<const Event> due) {
  for (const Event& event : due) {
    const auto* arrival = std::get_if<Arrival>(&event.payload);
    arrived_ += arrival != nullptr && arrival->handoff == nullptr ? 1 : 0;
  }
  while (marks_ < arrived_at_.size() && arrived_ > mark()) {
    arrived_at_[marks_] = arrived_;
    in_system_at_[marks_] = arrived_ - ended_;
    ++marks_;
  }
}

void BacklogWatch::ended(const RequestFacts&) {
  ++ended_;
}

std::vector<double> BacklogWatch::changes() const {
  constexpr std::int64_t kFewest = 10;
  if (marks_ < arrived_at_.size() || last_ - first_ < kFewest * kStretches) return {};
  std::vector<double> changes;
  for (std::size_t i = 1; i < arrived_at_.size(); ++i) {
    const std::int64_t arrivals = arrived_at_[i] - arrived_at_[i - 1];
    // A stretch that began and ended at one instant tells nothing.
    if (arrivals == 0) continue;
    changes.push_back(static_cast<double>(in_system_at_[i] - in_system_at_[i - 1]) /
                      static_cast<double>(arrivals));
  }
  return changes;
}

}  // namespace tokenyard
