#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "traces/label_pool.hpp"

namespace tokenyard {

/// The ids seen so far, to find a duplicate: an open-addressing table of 8 bytes a slot, 11 to 22
/// an id, over a pool that holds their text. Up to 2^32 - 2 ids. Not safe to share between threads.
class LabelSet {
 public:
  /// False if it was there already; else it is added to the pool.
  bool insert(std::string_view label);

  /// The ids in the order of their insertion.
  const LabelPool& labels() const { return labels_; }
  /// Gives the ids away; the set is empty afterwards.
  LabelPool take_labels();

 private:
  struct Slot {
    std::uint32_t hash = 0;    // its upper bits are the slot where the label belongs
    std::uint32_t number = 0;  // of the label, from 1; 0 means that the slot is free
  };

  static constexpr int kFirstBits = 10;

  void grow();

  LabelPool labels_;
  int bits_ = kFirstBits;
  std::vector<Slot> slots_ = std::vector<Slot>(std::size_t{1} << kFirstBits);  // 2^bits_
};

}  // namespace tokenyard
