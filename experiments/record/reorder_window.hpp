#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "sim/ports/observer.hpp"

namespace tokenyard {

/// Puts ended requests back into dense order while a run goes on. What ended before a request of a
/// lower id is kept packed (see packed_facts.hpp), some 50 bytes each, until its turn; memory is
/// that of the requests between the oldest live one and the last that ended. A request that ends
/// twice breaks the invariant I4. Not safe to share between threads.
class ReorderWindow {
 public:
  /// Calls `take(facts)` for every request whose turn has come with this end, in dense order.
  template <typename Take>
  void add(const RequestFacts& facts, Take take) {
    if (index(facts.request.id) == next_) {
      step();
      take(facts);
    } else {
      put(facts);
    }
    RequestFacts ready;
    while (pop(ready)) take(static_cast<const RequestFacts&>(ready));
  }

  /// The same for all that have ended, although requests of lower ids have not and never will.
  template <typename Take>
  void take_rest(Take take) {
    RequestFacts ready;
    while (!places_.empty()) {
      if (pop(ready)) {
        take(static_cast<const RequestFacts&>(ready));
      } else {
        step();
      }
    }
  }

  /// How many requests have been taken: all ids below have ended.
  std::size_t taken() const { return next_; }
  /// How many have ended before a request of a lower id.
  std::size_t ended_early() const { return ended_early_; }
  /// One more than the greatest id that has ended.
  std::size_t size() const { return next_ + places_.size(); }
  /// How many bytes hold packed facts.
  std::size_t packed_bytes() const { return blocks_in_use_ * kBlockBytes; }

 private:
  static constexpr std::size_t kBlockBytes = std::size_t{1} << 16;
  static constexpr std::uint64_t kNotEnded = UINT64_MAX;

  struct Block {
    std::unique_ptr<std::array<std::uint8_t, kBlockBytes>> bytes;
    std::size_t used = 0;
    std::size_t live = 0;  ///< how many packed requests have not been taken
  };

  void put(const RequestFacts& facts);
  bool pop(RequestFacts& facts);
  void step();
  std::size_t block_with_room();
  void leave(std::size_t block);

  std::size_t next_ = 0;
  std::size_t ended_early_ = 0;
  std::deque<std::uint64_t> places_;  ///< from `next_` on: where in the blocks, or kNotEnded
  std::vector<Block> blocks_;
  std::vector<std::size_t> free_blocks_;
  std::size_t open_ = 0;  ///< the block that is written to, once there is one
  std::size_t blocks_in_use_ = 0;
};

}  // namespace tokenyard
