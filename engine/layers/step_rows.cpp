#include "engine/layers/step_rows.hpp"

#include <algorithm>

namespace tokenyard {

void StepRows::take(std::span<const StepSequence> step, std::int64_t begin, std::int64_t end) {
  tokens.clear();
  positions.clear();
  logit_rows.clear();
  chunks.clear();
  std::int64_t first = 0;  // the sequence's first row in the step
  for (const StepSequence& sequence : step) {
    const auto size = static_cast<std::int64_t>(sequence.tokens.size());
    const std::int64_t from = std::max<std::int64_t>(begin - first, 0);
    const std::int64_t to = std::min(end - first, size);
    if (from < to) {
      chunks.push_back({.blocks = sequence.blocks,
                        .first_position = sequence.first_position + from,
                        .queries = to - from,
                        .first_row = count()});
      for (std::int64_t i = from; i < to; ++i) {
        tokens.push_back(sequence.tokens[static_cast<std::size_t>(i)]);
        positions.push_back(sequence.first_position + i);
      }
      if (sequence.wants_logits && to == size) logit_rows.push_back(count() - 1);
    }
    first += size;
  }
}

}  // namespace tokenyard
