#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "sim/ports/observer.hpp"

namespace tokenyard {

/// Watches how the number in system changes while requests come: over twenty stretches with equally
/// many arrivals each. O(1) an arrival. One object serves one run, from the loop's thread.
class BacklogWatch final : public Observer {
 public:
  /// Looks at the arrivals from number `first` to number `last`, counted from 0.
  BacklogWatch(std::int64_t first, std::int64_t last) : first_(first), last_(last) {}

  bool watches_iterations() const override { return false; }
  void fed(Time now, std::span<const Event> due) override;
  void ended(const RequestFacts& facts) override;

  /// Of each stretch: the change of the number in system over the arrivals. Empty where there were
  /// not ten arrivals a stretch.
  std::vector<double> changes() const;

 private:
  static constexpr std::int64_t kStretches = 20;

  std::int64_t mark() const {
    return first_ + (last_ - first_) * static_cast<std::int64_t>(marks_) / kStretches;
  }

  std::int64_t first_, last_;
  std::int64_t arrived_ = 0, ended_ = 0;
  std::size_t marks_ = 0;  ///< passed so far
  std::array<std::int64_t, kStretches + 1> arrived_at_{}, in_system_at_{};
};

}  // namespace tokenyard
