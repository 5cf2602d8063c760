#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tokenyard {

/// The ids seen so far, to find a duplicate: an open-addressing table over one string that holds
/// them all, so that a million ids cost neither a million allocations nor much memory. Up to 2^32 -
/// 2 ids. Not safe to share between threads.
class LabelSet {
 public:
  LabelSet() : slots_(1024), begins_(1, 0) {}

  /// False if it was there already.
  bool insert(std::string_view label);

 private:
  struct Slot {
    std::uint32_t tag = 0;     // the upper half of the hash, to compare few labels
    std::uint32_t number = 0;  // of the label, from 1; 0 means that the slot is free
  };

  std::string_view label(std::uint32_t number) const;
  void grow();

  std::string labels_;
  std::vector<Slot> slots_;  // a power of two
  std::vector<std::uint64_t>
      begins_;  // where each label begins in labels_, and where the last ends
};

}  // namespace tokenyard
