#include "experiments/record/reorder_window.hpp"

#include "experiments/record/packed_facts.hpp"
#include "sim/kernel/invariant.hpp"

namespace tokenyard {

void ReorderWindow::put(const RequestFacts& facts) {
  const std::size_t id = index(facts.request.id);
  invariant(id >= next_, "I4 a request lives and ends once", "request {} ended twice", id);
  const std::size_t ahead = id - next_;
  if (ahead >= places_.size()) places_.resize(ahead + 1, kNotEnded);
  invariant(places_[ahead] == kNotEnded, "I4 a request lives and ends once",
            "request {} ended twice", id);
  const std::size_t number = block_with_room();
  Block& block = blocks_[number];
  places_[ahead] = number * kBlockBytes + block.used;
  block.used += pack(facts, block.bytes->data() + block.used);
  ++block.live;
  ++ended_early_;
}

bool ReorderWindow::pop(RequestFacts& facts) {
  if (places_.empty() || places_.front() == kNotEnded) return false;
  const std::size_t place = places_.front();
  facts = unpack(blocks_[place / kBlockBytes].bytes->data() + place % kBlockBytes);
  facts.request.id = static_cast<RequestId>(next_);
  leave(place / kBlockBytes);
  --ended_early_;
  step();
  return true;
}

/// The next one has been taken.
void ReorderWindow::step() {
  if (!places_.empty()) places_.pop_front();
  ++next_;
}

std::size_t ReorderWindow::block_with_room() {
  if (blocks_in_use_ > 0 && blocks_[open_].bytes &&
      kBlockBytes - blocks_[open_].used >= kMostPackedBytes) {
    return open_;
  }
  if (free_blocks_.empty()) {
    free_blocks_.push_back(blocks_.size());
    blocks_.emplace_back();
  }
  open_ = free_blocks_.back();
  free_blocks_.pop_back();
  blocks_[open_].bytes = std::make_unique_for_overwrite<std::array<std::uint8_t, kBlockBytes>>();
  blocks_[open_].used = 0;
  ++blocks_in_use_;
  return open_;
}

/// One of the block's requests was taken. An empty block begins anew, or its memory is given back.
void ReorderWindow::leave(std::size_t number) {
  Block& block = blocks_[number];
  if (--block.live > 0) return;
  block.used = 0;
  if (number == open_) return;
  block.bytes.reset();
  free_blocks_.push_back(number);
  --blocks_in_use_;
}

}  // namespace tokenyard
