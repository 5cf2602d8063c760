// Macro-steps, and walks that begin behind those who decode on, change nothing but the time it
// takes.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>

#include "models/model_executor.hpp"
#include "tests/contract/policies_of_catalogue.hpp"
#include "tests/support/diary.hpp"
#include "tests/support/integer_cost.hpp"
#include "tests/support/random_jobs.hpp"
#include "tests/support/simulation.hpp"

namespace tokenyard::test {
namespace {

using namespace std::chrono_literals;

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

/// A `ModelExecutor` some of whose copies between device and host fail.
class FailingCopies final : public Executor {
 public:
  FailingCopies(const CostModel& cost, const OutputOracle& oracle, std::uint64_t one_in)
      : inner_(cost, oracle), one_in_(one_in) {}

  bool reads_tables() const override { return inner_.reads_tables(); }
  void begin(const Iteration& iteration, Time now, Events& events) override {
    for (const KvCopy& copy : iteration.copies) {
      const std::uint64_t id = index(copy.id);
      events.post(now + 1300us, id, CopyEnd{copy.id, id % one_in_ == one_in_ - 1});
    }
    Iteration rest = iteration;
    rest.copies.clear();
    inner_.begin(rest, now, events);
  }

 private:
  ModelExecutor inner_;
  std::uint64_t one_in_;
};

/// One copy in `one_in` fails; 0: none.
std::string diary(const std::vector<Job>& jobs, Policy& policy, const ServerSettings& settings,
                  std::uint64_t one_in, Diary::Slots slots = Diary::Slots::told) {
  MakeExecutor executor;
  if (one_in > 0) {
    executor = [one_in](const CostModel& cost, const OutputOracle& oracle) {
      return std::make_unique<FailingCopies>(cost, oracle, one_in);
    };
  }
  Diary seen(slots);
  simulate(jobs, policy, varied_cost(), settings, slots != Diary::Slots::told, &seen, executor);
  return std::move(seen.text);
}

bool equal_with_and_without(const std::vector<Job>& jobs, const std::string& policy,
                            ServerSettings settings) {
  const auto one_in = *rc::gen::element<std::uint64_t>(0, 0, 2, 5);
  const auto macro = diary(jobs, *make_policy(policy), settings, one_in);
  settings.macro_steps = false;
  const auto single = diary(jobs, *make_policy(policy), settings, one_in);
  Restless restless(make_policy(policy));
  return equal("macro-steps", macro, single) &&
         equal("whole walks", diary(jobs, restless, settings, one_in), single);
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

class OpenTables : public testing::TestWithParam<std::string> {};

// Would catch: blocks that are counted otherwise, or too late, where it is left open which they
// are, because nobody looks; and those that are chosen after all for a copy, lost or taken twice.
TEST_P(OpenTables, AreCountedLikeThoseThatAreRead) {
  EXPECT_TRUE(rc::check([this] {
    const auto jobs = long_jobs();
    ServerSettings settings = roomier(random_settings());
    settings.kv.prefix_caching = false;
    settings.macro_steps = *rc::gen::arbitrary<bool>();
    const auto one_in = *rc::gen::element<std::uint64_t>(0, 0, 2, 5);
    const auto told = [&](Diary::Slots slots) {
      return diary(jobs, *make_policy(GetParam()), settings, one_in, slots);
    };
    RC_ASSERT(equal("open", told(Diary::Slots::unwatched), told(Diary::Slots::untold)));
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

INSTANTIATE_TEST_SUITE_P(Catalogue, OpenTables, testing::ValuesIn(policies_under_test()));
INSTANTIATE_TEST_SUITE_P(Catalogue, MacroSteps, testing::ValuesIn(policies_under_test()));
INSTANTIATE_TEST_SUITE_P(Catalogue, TurnTakingMacroSteps,
                         testing::ValuesIn(turn_taking_policies()));

}  // namespace
}  // namespace tokenyard::test
