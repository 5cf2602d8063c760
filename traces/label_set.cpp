#include "traces/label_set.hpp"

#include <utility>

#include "traces/text_hash.hpp"

namespace tokenyard {

namespace {

constexpr int kHashBits = 32;

std::uint32_t hash_of(std::string_view label) {
  TextHash hash;
  hash.text(label);
  return static_cast<std::uint32_t>(hash.value() >> 32U);
}

}  // namespace

bool LabelSet::insert(std::string_view text) {
  const std::uint32_t hash = hash_of(text);
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = hash >> (kHashBits - bits_);
  for (; slots_[at].number != 0; at = (at + 1) & mask) {
    if (slots_[at].hash == hash && labels_.at(slots_[at].number - 1) == text) return false;
  }
  labels_.add(text);
  slots_[at] = {hash, static_cast<std::uint32_t>(labels_.size())};
  if (labels_.size() > slots_.size() / 4 * 3 && bits_ < kHashBits) grow();
  return true;
}

LabelPool LabelSet::take_labels() {
  bits_ = kFirstBits;
  slots_ = std::vector<Slot>(std::size_t{1} << kFirstBits);
  return std::exchange(labels_, {});
}

/// Twice the slots. The old ones are nearly in the order of the new, so this runs through memory
/// from one end to the other, and reads no text.
void LabelSet::grow() {
  ++bits_;
  std::vector<Slot> before(std::size_t{1} << bits_);
  before.swap(slots_);
  const std::size_t mask = slots_.size() - 1;
  for (const Slot& slot : before) {
    if (slot.number == 0) continue;
    std::size_t at = slot.hash >> (kHashBits - bits_);
    while (slots_[at].number != 0) at = (at + 1) & mask;
    slots_[at] = slot;
  }
}

}  // namespace tokenyard
