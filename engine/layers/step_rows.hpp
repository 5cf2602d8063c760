#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/kernels/attention.hpp"
#include "engine/model_config.hpp"
#include "sim/ports/ids.hpp"

namespace tokenyard {

/// One sequence's share of a step: consecutive new tokens, a prompt, a chunk of one or a single
/// token of decoding. The memory is the caller's.
struct StepSequence {
  std::span<const Token> tokens;    ///< at least one
  std::int64_t first_position = 0;  ///< of the first of them; those before are in the cache
  std::span<const BlockId> blocks;  ///< the block table, which covers all of them
  bool wants_logits = false;        ///< of the last token: what follows it
};

/// Some of a step's rows (its tokens, sequence by sequence) that go through all layers together.
/// Reused from step to step, so that a steady state allocates nothing here.
struct StepRows {
  std::vector<Token> tokens;              ///< by row
  std::vector<std::int64_t> positions;    ///< by row
  std::vector<std::int64_t> logit_rows;   ///< rows whose logits are wanted, ascending
  std::vector<AttentionSequence> chunks;  ///< the sequences' parts among these rows

  std::int64_t count() const { return static_cast<std::int64_t>(tokens.size()); }

  /// Takes rows [begin, end) of the step.
  void take(std::span<const StepSequence> step, std::int64_t begin, std::int64_t end);

  /// Shares `count()` rows' chunks out: calls `call(chunk, first, tokens)` for the part of each
  /// chunk that lies among rows [begin, end), with `first` counted from the chunk's beginning.
  template <typename Call>
  void for_chunks(std::int64_t begin, std::int64_t end, Call call) const {
    for (const AttentionSequence& chunk : chunks) {
      const std::int64_t from = begin > chunk.first_row ? begin : chunk.first_row;
      const std::int64_t chunk_end = chunk.first_row + chunk.queries;
      const std::int64_t to = end < chunk_end ? end : chunk_end;
      if (from < to) call(chunk, from - chunk.first_row, to - from);
    }
  }
};

}  // namespace tokenyard
