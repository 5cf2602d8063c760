#pragma once
// Whether two runs are the same to all who watch.

#include <fmt/format.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <string>

#include "sim/ports/observer.hpp"

namespace tokenyard::test {

inline std::int64_t ns(Time at) {
  return at.time_since_epoch().count();
}

/// Writes down all that an observer is told, but what the passes were fed.
class Diary final : public Observer {
 public:
  /// What it writes of slots, and whether it asks for them.
  enum class Slots { told, untold, unwatched };

  explicit Diary(Slots slots = Slots::told) : slots_(slots) {}

  void decided(Time now, const Iteration& iteration, const IterationFacts& facts) override {
    text += fmt::format(
        "{} decided {} begun {}: used {} shared {} saved {} cached {} draining {} "
        "unused {} waiting {} out {} in {}",
        ns(now), index(iteration.id), ns(iteration.begun), facts.kv_blocks_used,
        facts.kv_blocks_shared, facts.kv_blocks_saved, facts.kv_blocks_cached,
        facts.kv_blocks_draining, facts.kv_tokens_unused, facts.waiting, facts.blocks_out,
        facts.blocks_in);
    const IterationLoad& load = iteration.load;
    text +=
        fmt::format(" prefill {} {} {} {} decode {} {}\n", load.prefill_sequences,
                    load.prefill_tokens, load.prefill_context_tokens, load.prefill_context_product,
                    load.decode_sequences, load.decode_context_tokens);
    if (slots_ != Slots::told) return;
    for (const Slot& slot : iteration.slots) {
      text += fmt::format("  {}.{} at {} + {}, generated {} {}{}{}:", index(slot.request),
                          slot.sequence, slot.computed, slot.new_tokens, slot.generated,
                          slot.prefill, slot.yields, slot.padding);
      for (const BlockId block : slot.blocks) text += fmt::format(" {}", index(block));
      text += '\n';
    }
  }
  void completed(Time now, const Iteration& iteration) override {
    text += fmt::format("{} completed {}\n", ns(now), index(iteration.id));
  }
  void token_gaps(Time now, Duration gap, std::int64_t count) override {
    text += fmt::format("{} gap {} x {}\n", ns(now), gap.count(), count);
  }
  void entered(RequestId request, Phase phase, Time now) override {
    text +=
        fmt::format("{} request {} enters {}\n", ns(now), index(request), static_cast<int>(phase));
  }
  void ended(const RequestFacts& facts) override {
    text +=
        fmt::format("{} request {} ended {} with {}, {} and {} tokens, {} {} {} {}\n",
                    ns(facts.ended), index(facts.request.id), static_cast<int>(facts.end),
                    facts.output_tokens, facts.sequence_tokens, facts.cached_tokens,
                    facts.preemptions, facts.swaps_out, facts.swaps_in, facts.recomputed_tokens);
    for (const Duration phase : facts.phases) text += fmt::format(" {}", phase.count());
    text += fmt::format(" {} {}\n", ns(facts.first_scheduled), ns(facts.first_token));
  }
  bool watches_slots() const override { return slots_ != Slots::unwatched; }

  std::string text;

 private:
  Slots slots_;
};

/// Compares diaries, and logs where they part.
inline bool equal(const std::string& name, const std::string& text, const std::string& single) {
  if (single == text) return true;
  const auto differ = std::ranges::mismatch(single, text);
  const auto from = static_cast<std::size_t>(differ.in1 - single.begin());
  const std::size_t line = single.rfind('\n', from) + 1;
  RC_LOG() << "single steps: " << single.substr(line, 300) << '\n'
           << name << ": " << text.substr(line, 300);
  return false;
}

}  // namespace tokenyard::test
