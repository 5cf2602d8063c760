#pragma once

#include "sim/ports/iteration.hpp"
#include "sim/server/live_table.hpp"

namespace tokenyard {

/// The slot of one more token of a single sequence.
inline void fill_decode(Slot& slot, const LiveRequest& live) {
  slot.request = live.view.id;
  slot.place = live.view.slot;
  slot.sequence = live.sequences.front().number;
  slot.computed = live.view.computed;
  slot.new_tokens = 1;
  slot.generated = live.view.generated;
  slot.prefill = false;
  slot.yields = true;
  slot.width = 1;
  slot.beam = false;
  slot.padding = false;
  slot.blocks = live.sequences.front().blocks;
}

/// One token on top of a complete cache. A last chunk of one prompt token is still prefill.
inline bool is_decode(const RequestView& view, std::int64_t computed) {
  return view.generated > 0 && view.known_tokens() - computed == 1;
}

}  // namespace tokenyard
