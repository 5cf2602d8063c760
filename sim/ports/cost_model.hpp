#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "sim/kernel/time.hpp"
#include "sim/ports/repeat.hpp"

namespace tokenyard {

/// The size of an iteration as far as costs go. All sums are over the sequences of the batch;
/// "context" is the number of tokens attended to, the new ones included.
struct IterationLoad {
  std::int64_t prefill_sequences = 0;
  std::int64_t prefill_tokens = 0;           ///< new prompt (or recomputed) tokens
  std::int64_t prefill_context_tokens = 0;   ///< context at the end of each chunk
  std::int64_t prefill_context_product = 0;  ///< chunk tokens x context
  std::int64_t decode_sequences = 0;
  std::int64_t decode_context_tokens = 0;
  std::int64_t copied_blocks = 0;  ///< copy-on-write copies on the device

  void add_prefill(std::int64_t chunk, std::int64_t context) {
    ++prefill_sequences;
    prefill_tokens += chunk;
    prefill_context_tokens += context;
    prefill_context_product += chunk * context;
  }
  void add_decode(std::int64_t context) {
    ++decode_sequences;
    decode_context_tokens += context;
  }
  /// Becomes the load of the next iteration in a row, and `repeat` the permission from there on.
  void go_on(Repeat& repeat) {
    decode_context_tokens += repeat.more_context_tokens;
    if (repeat.prefill_left == 0) return;
    prefill_tokens = std::min(prefill_tokens, repeat.prefill_left);
    repeat.prefill_left -= prefill_tokens;
    prefill_context_tokens += prefill_tokens;
    prefill_context_product = prefill_tokens * prefill_context_tokens;
  }

  static IterationLoad one_prefill(std::int64_t chunk, std::int64_t context) {
    IterationLoad load;
    load.add_prefill(chunk, context);
    return load;
  }
  static IterationLoad one_decode(std::int64_t context) {
    IterationLoad load;
    load.add_decode(context);
    return load;
  }

  friend bool operator==(const IterationLoad&, const IterationLoad&) = default;
};

/// What things cost, in time. The model that charges a simulation and the one that advises a
/// policy are separate objects. Pure: the same load gives the same answer; safe to share between
/// threads.
class CostModel {
 public:
  virtual ~CostModel() = default;

  /// How long an iteration of this load takes, in whole nanoseconds, not negative.
  virtual Duration iteration(const IterationLoad& load) const = 0;

  /// Fills `ends` with the ends of iterations in a row (see `repeat_from`), the first of this
  /// `load`. A model may do it faster than one by one, with the same result.
  virtual void repeat(IterationLoad load, const Repeat& repeat, Time now,
                      std::vector<Time>& ends) const {
    Repeat left = repeat;
    repeat_from(now, repeat, ends, [&] {
      const Duration next = iteration(load);
      load.go_on(left);
      return next;
    });
  }

  /// How long a copy of so many KV blocks between device and host takes, one way, with the channel
  /// to itself.
  virtual Duration copy(std::int64_t blocks) const = 0;
};

}  // namespace tokenyard
