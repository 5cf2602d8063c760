#include "traces/label_set.hpp"

#include <utility>

#include "traces/text_hash.hpp"

namespace tokenyard {

namespace {

std::uint64_t hash_of(std::string_view label) {
  TextHash hash;
  hash.text(label);
  return hash.value();
}

}  // namespace

bool LabelSet::insert(std::string_view text) {
  const std::uint64_t hash = hash_of(text);
  const auto tag = static_cast<std::uint32_t>(hash >> 32);
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = hash & mask;
  for (; slots_[at].number != 0; at = (at + 1) & mask) {
    if (slots_[at].tag == tag && labels_.at(slots_[at].number - 1) == text) return false;
  }
  labels_.add(text);
  slots_[at] = {tag, static_cast<std::uint32_t>(labels_.size())};
  if (labels_.size() > slots_.size() / 4 * 3) grow();
  return true;
}

LabelPool LabelSet::take_labels() {
  slots_.assign(slots_.size(), Slot{});
  return std::exchange(labels_, {});
}

void LabelSet::grow() {
  slots_.assign(slots_.size() * 2, Slot{});
  const std::size_t mask = slots_.size() - 1;
  for (std::uint32_t number = 1; number <= labels_.size(); ++number) {
    const std::uint64_t hash = hash_of(labels_.at(number - 1));
    std::size_t at = hash & mask;
    while (slots_[at].number != 0) at = (at + 1) & mask;
    slots_[at] = {static_cast<std::uint32_t>(hash >> 32), number};
  }
}

}  // namespace tokenyard
