#include "traces/label_set.hpp"

#include "traces/text_hash.hpp"

namespace tokenyard {

namespace {

std::uint64_t hash_of(std::string_view label) {
  TextHash hash;
  hash.text(label);
  return hash.value();
}

}  // namespace

std::string_view LabelSet::label(std::uint32_t number) const {
  return std::string_view(labels_).substr(begins_[number - 1],
                                          begins_[number] - begins_[number - 1]);
}

bool LabelSet::insert(std::string_view text) {
  const std::uint64_t hash = hash_of(text);
  const auto tag = static_cast<std::uint32_t>(hash >> 32);
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = hash & mask;
  for (; slots_[at].number != 0; at = (at + 1) & mask) {
    if (slots_[at].tag == tag && label(slots_[at].number) == text) return false;
  }
  slots_[at] = {tag, static_cast<std::uint32_t>(begins_.size())};
  labels_ += text;
  begins_.push_back(labels_.size());
  if (begins_.size() * 2 > slots_.size()) grow();
  return true;
}

void LabelSet::grow() {
  slots_.assign(slots_.size() * 2, Slot{});
  const std::size_t mask = slots_.size() - 1;
  for (std::uint32_t number = 1; number < begins_.size(); ++number) {
    const std::uint64_t hash = hash_of(label(number));
    std::size_t at = hash & mask;
    while (slots_[at].number != 0) at = (at + 1) & mask;
    slots_[at] = {static_cast<std::uint32_t>(hash >> 32), number};
  }
}

}  // namespace tokenyard
