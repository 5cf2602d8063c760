#include "experiments/record/decision_digest.hpp"

#include <bit>
#include <cstddef>
#include <span>

#include "traces/text_hash.hpp"

namespace tokenyard {

namespace {

std::uint64_t word(std::int64_t value) {
  return static_cast<std::uint64_t>(value);
}
std::uint64_t word(Time time) {
  return word(time.time_since_epoch().count());
}

/// Four sums that advance side by side, since one would keep a processor waiting for each product.
/// Each step is the one of xxHash64: a tenth of the time of `TextHash` for long block tables.
class Lanes {
 public:
  void add(std::uint64_t first, std::uint64_t second, std::uint64_t third, std::uint64_t fourth) {
    sums_[0] = step(sums_[0], first);
    sums_[1] = step(sums_[1], second);
    sums_[2] = step(sums_[2], third);
    sums_[3] = step(sums_[3], fourth);
  }

  void add(std::span<const BlockId> blocks) {
    add(blocks.size(), 0, 0, 0);
    std::size_t i = 0;
    for (; i + 4 <= blocks.size(); i += 4) {
      add(index(blocks[i]), index(blocks[i + 1]), index(blocks[i + 2]), index(blocks[i + 3]));
    }
    for (; i < blocks.size(); ++i) add(index(blocks[i]), 0, 0, 0);
  }

  std::uint64_t value(std::uint64_t before) const {
    TextHash hash;
    hash.word(before);
    for (const std::uint64_t sum : sums_) hash.word(sum);
    return hash.value();
  }

 private:
  static std::uint64_t step(std::uint64_t sum, std::uint64_t next) {
    return std::rotl(sum + next * 0xc2b2ae3d27d4eb4fU, 31) * 0x9e3779b185ebca87U;
  }

  std::uint64_t sums_[4] = {1, 2, 3, 4};
};

std::uint64_t flags(const Slot& slot) {
  return (slot.prefill ? 1U : 0U) | (slot.yields ? 2U : 0U) | (slot.beam ? 4U : 0U) |
         (slot.padding ? 8U : 0U);
}

void add_batch(Lanes& lanes, const Iteration& iteration) {
  const Repeat& repeat = iteration.repeat;
  lanes.add(index(iteration.id), word(iteration.begun), word(repeat.most), word(repeat.until));
  lanes.add(word(repeat.length.count()), word(repeat.more_context_tokens),
            iteration.block_copies.size(), word(repeat.prefill_left));
  const IterationLoad& load = iteration.load;
  lanes.add(word(load.prefill_sequences), word(load.prefill_tokens),
            word(load.prefill_context_tokens), word(load.prefill_context_product));
  lanes.add(word(load.decode_sequences), word(load.decode_context_tokens), word(load.copied_blocks),
            0);
  for (const Slot& slot : iteration.slots) {
    lanes.add(index(slot.request), slot.place, word(slot.sequence), flags(slot));
    lanes.add(word(slot.computed), word(slot.new_tokens), word(slot.generated), word(slot.width));
    lanes.add(slot.blocks);
  }
  for (const BlockCopy& copy : iteration.block_copies) {
    lanes.add(index(copy.from), index(copy.to), 0, 0);
  }
}

}  // namespace

void DecisionDigest::add(const Iteration& decision) {
  Lanes lanes;
  lanes.add(decision.slots.size(), decision.copies.size(), 0, 0);
  // Copies alone are no iteration, and what stands in its other fields means nothing.
  if (!decision.slots.empty()) add_batch(lanes, decision);
  for (const KvCopy& copy : decision.copies) {
    lanes.add(index(copy.id), index(copy.request), static_cast<std::uint64_t>(copy.direction), 0);
    lanes.add(copy.device_blocks);
    lanes.add(copy.host_blocks);
  }
  value_ = lanes.value(value_);
}

}  // namespace tokenyard
