#pragma once

#include <compare>
#include <cstdint>

#include "sim/ports/ids.hpp"

namespace tokenyard {

/// A request's place: smaller is better. Compared by `primary`, then `secondary`; what is equal in
/// both goes to the smaller `RequestId`.
struct RankKey {
  std::int64_t primary = 0;
  std::int64_t secondary = 0;

  friend auto operator<=>(const RankKey&, const RankKey&) = default;
};

/// The order in which live requests are served, as a policy sees it. It lives between passes: a
/// policy says only what changes, at O(log n) a change. Each live request is ranked or held.
class Ranking {
 public:
  virtual ~Ranking() = default;

  /// Ranks `request` by `key`, whether it was ranked, held or new.
  virtual void set(RequestId request, RankKey key) = 0;

  /// Takes `request` out of the order until the next `set`: it is not to run now, and it is the
  /// first to lose its memory.
  virtual void hold(RequestId request) = 0;
};

}  // namespace tokenyard
