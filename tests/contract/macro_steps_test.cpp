// Macro-steps, and walks that begin behind those who decode on, change nothing but the time it
// takes.

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>

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

/// A policy that takes a request out of the ranking and puts it back at each boundary: the order is
/// the same, but the server cannot know it, and walks the whole ranking each time.
class Restless final : public Policy {
 public:
  explicit Restless(std::unique_ptr<Policy> inner) : inner_(std::move(inner)) {}

  Needs needs() const override { return inner_->needs(); }
  void on_arrive(const RequestView& request, const PolicyContext& context,
                 Ranking& ranking) override {
    Door door(*this, ranking);
    inner_->on_arrive(request, context, door);
  }
  void on_progress(const RequestView& request, Duration ran, const PolicyContext& context,
                   Ranking& ranking) override {
    Door door(*this, ranking);
    inner_->on_progress(request, ran, context, door);
  }
  void on_evict(const RequestView& request, Eviction eviction, const PolicyContext& context,
                Ranking& ranking) override {
    Door door(*this, ranking);
    inner_->on_evict(request, eviction, context, door);
  }
  void on_end(const RequestView& request, Departure departure,
              const PolicyContext& context) override {
    keys_.erase(request.id);
    inner_->on_end(request, departure, context);
  }
  void refresh(const PolicyContext& context, Ranking& ranking) override {
    Door door(*this, ranking);
    inner_->refresh(context, door);
    if (keys_.empty()) return;
    ranking.hold(keys_.begin()->first);
    ranking.set(keys_.begin()->first, keys_.begin()->second);
  }
  std::optional<Time> next_scheduled(const RequestView& request,
                                     const PolicyContext& context) const override {
    return inner_->next_scheduled(request, context);
  }

 private:
  class Door final : public Ranking {
   public:
    Door(Restless& policy, Ranking& ranking) : policy_(policy), ranking_(ranking) {}
    void set(RequestId id, RankKey key) override {
      policy_.keys_[id] = key;
      ranking_.set(id, key);
    }
    void hold(RequestId id) override {
      policy_.keys_.erase(id);
      ranking_.hold(id);
    }

   private:
    Restless& policy_;
    Ranking& ranking_;
  };

  std::unique_ptr<Policy> inner_;
  std::map<RequestId, RankKey> keys_;  // of those that are ranked
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

std::string diary(const std::vector<Job>& jobs, Policy& policy, const ServerSettings& settings) {
  Diary seen;
  simulate(jobs, policy, varied_cost(), settings, false, &seen);
  return std::move(seen.text);
}

bool equal(const std::string& name, const std::string& text, const std::string& single) {
  if (single == text) return true;
  const auto differ = std::ranges::mismatch(single, text);
  const auto from = static_cast<std::size_t>(differ.in1 - single.begin());
  const std::size_t line = single.rfind('\n', from) + 1;
  RC_LOG() << "single steps: " << single.substr(line, 300) << '\n'
           << name << ": " << text.substr(line, 300);
  return false;
}

bool equal_with_and_without(const std::vector<Job>& jobs, const std::string& policy,
                            ServerSettings settings) {
  const auto macro = diary(jobs, *make_policy(policy), settings);
  settings.macro_steps = false;
  const auto single = diary(jobs, *make_policy(policy), settings);
  Restless restless(make_policy(policy));
  return equal("macro-steps", macro, single) &&
         equal("whole walks", diary(jobs, restless, settings), single);
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

// Would catch: a walk that begins behind requests which are no longer the best, or can no longer
// be served as before; a macro-step that runs past an arrival, a cancellation, a copy's end, a
// completion or a change of rank; blocks taken in another order or at another time; a wrong
// duration, token gap, count or phase; a batch that single steps would have formed differently.
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
