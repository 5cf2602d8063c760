#pragma once

#include <cstdint>

#include "sim/ports/iteration.hpp"

namespace tokenyard {

/// A 64-bit fingerprint of everything that a scheduler has decided so far, the same on every
/// machine. It covers whatever an executor could act upon: of an iteration its id, its begin, its
/// slots with their block tables, its load and how often it may be repeated; the block copies; and
/// the copies of KV with the blocks on both sides. It tells decisions apart; it is no protection
/// against forgery. A value type.
class DecisionDigest {
 public:
  /// What the next pass returned, perhaps nothing.
  void add(const Iteration& decision);

  std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0;
};

}  // namespace tokenyard
