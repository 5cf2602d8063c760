#include "experiments/record/replica_merge.hpp"

#include <algorithm>
#include <utility>

namespace tokenyard {

void ReplicaMerge::busy_at(ReplicaId replica, Time at) {
  busy_since_[index(replica)] = at;
  latest_ = std::max(latest_, at);
}

void ReplicaMerge::idle(ReplicaId replica) {
  busy_since_[index(replica)] = kNever;
}

void ReplicaMerge::add(Time at, ReplicaId replica, std::string row) {
  rows_.emplace(std::tuple(at, replica, added_++), std::move(row));
  latest_ = std::max(latest_, at);
  if (busy_since_[index(replica)] != kNever) busy_since_[index(replica)] = at;
  // Who is idle begins no earlier than what others tell of.
  write_before(std::min(latest_, *std::min_element(busy_since_.begin(), busy_since_.end())));
}

void ReplicaMerge::write_before(Time at) {
  auto next = rows_.begin();
  for (; next != rows_.end() && std::get<0>(next->first) < at; ++next) {
    out_.text(std::string_view(next->second).substr(0, next->second.size() - 1)).end_line();
  }
  rows_.erase(rows_.begin(), next);
}

void ReplicaMerge::finish() {
  write_before(kNever);
  out_.flush();
}

}  // namespace tokenyard
