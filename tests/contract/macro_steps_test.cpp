// Macro-steps change nothing but the number of passes.

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/contract/policies_of_catalogue.hpp"
#include "tests/support/integer_cost.hpp"
#include "tests/support/random_jobs.hpp"
#include "tests/support/simulation.hpp"

namespace tokenyard::test {
namespace {

using namespace std::chrono_literals;

std::int64_t ns(Time at) {
  return at.time_since_epoch().count();
}

/// Writes down all that an observer is told, but what the passes were fed.
class Diary final : public Observer {
 public:
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
  bool watches_slots() const override { return true; }

  std::string text;
};

/// Costs that round, and grow with the context.
const IntegerCost& varied_cost() {
  static const IntegerCost model({.iteration = 1ms,
                                  .prefill_token = 10us,
                                  .decode_sequence = 20us,
                                  .context_token = 1us,
                                  .copy_block = 700us});
  return model;
}

std::string diary(const std::vector<Job>& jobs, const std::string& policy, ServerSettings settings,
                  bool macro_steps, bool audit) {
  settings.macro_steps = macro_steps;
  Diary seen;
  simulate(jobs, policy, varied_cost(), settings, audit, &seen);
  return std::move(seen.text);
}

bool equal_with_and_without(const std::vector<Job>& jobs, const std::string& policy,
                            const ServerSettings& settings) {
  const std::string single = diary(jobs, policy, settings, false, false);
  const std::string macro = diary(jobs, policy, settings, true, true);
  if (single == macro) return true;
  const auto differ = std::ranges::mismatch(single, macro);
  const auto from = static_cast<std::size_t>(differ.in1 - single.begin());
  const std::size_t line = single.rfind('\n', from) + 1;
  RC_LOG() << "single steps: " << single.substr(line, 300)
           << "\nmacro-steps:  " << macro.substr(line, 300);
  return false;
}

/// Long outputs, so that many iterations can be one; gaps from bursts to idleness.
std::vector<Job> long_jobs() {
  const auto gap_ms = *rc::gen::element<std::int64_t>(2, 20, 200);
  return random_jobs({.most_jobs = 16,
                      .gap_ms = gap_ms,
                      .prompt = 30,
                      .output = 60,
                      .cancellations = true,
                      .several_sequences = *rc::gen::inRange(0, 3) == 0,
                      .known_prompts = true});
}

ServerSettings roomier(ServerSettings settings) {
  settings.kv.device_blocks *= *rc::gen::element<std::int64_t>(1, 2, 4, 20);
  settings.limits.max_model_len = *rc::gen::element<std::int64_t>(0, 0, 0, 60);
  return settings;
}

class MacroSteps : public testing::TestWithParam<std::string> {};

// Would catch: a macro-step that runs past an arrival, a cancellation, a copy's end, a completion
// or a change of rank; blocks taken in another order or at another time; a wrong duration, token
// gap, count or phase; a batch that single steps would have formed differently.
TEST_P(MacroSteps, AreTheSameToTheLastByteAsSingleSteps) {
  EXPECT_TRUE(rc::check([this] {
    const auto jobs = long_jobs();
    RC_ASSERT(equal_with_and_without(jobs, GetParam(), roomier(random_settings())));
  }));
}

class TurnTakingMacroSteps : public testing::TestWithParam<std::string> {};

// Would catch: the same, where keys move with time and requests go ahead of others.
TEST_P(TurnTakingMacroSteps, AreTheSameToTheLastByteAsSingleSteps) {
  EXPECT_TRUE(rc::check([this] {
    const auto jobs = long_jobs();
    ServerSettings settings = roomier(random_settings());
    settings.limits.chunk_tokens = 0;
    RC_ASSERT(equal_with_and_without(jobs, GetParam(), settings));
  }));
}

INSTANTIATE_TEST_SUITE_P(Catalogue, MacroSteps, testing::ValuesIn(policies_under_test()));
INSTANTIATE_TEST_SUITE_P(Catalogue, TurnTakingMacroSteps,
                         testing::ValuesIn(turn_taking_policies()));

}  // namespace
}  // namespace tokenyard::test
