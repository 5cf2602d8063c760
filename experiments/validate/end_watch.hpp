#pragma once

#include <vector>

#include "sim/ports/observer.hpp"

namespace tokenyard {

/// When requests came and ended, of one run; for the rates of both. Precondition of the rates: a
/// request has ended.
class EndWatch final : public Observer {
 public:
  bool watches_iterations() const override { return false; }
  void ended(const RequestFacts& facts) override;

  /// Requests a second until nine tenths have ended: what comes after is a server that runs empty.
  double served_per_s() const;
  double arriving_per_s() const;

 private:
  std::vector<Time> ends_;
  Time first_ = kNever;
  Time last_ = kOrigin;
};

}  // namespace tokenyard
