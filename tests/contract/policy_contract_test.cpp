// What every policy of the catalogue promises, by calls made by hand.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cctype>
#include <set>

#include "tests/contract/policies_of_catalogue.hpp"
#include "tests/support/fake_scheduling.hpp"
#include "tests/support/integer_cost.hpp"
#include "tests/support/simulation.hpp"

namespace tokenyard::test {
namespace {

using namespace std::chrono_literals;

const IntegerCost& cost() {
  static const IntegerCost model({.iteration = 1ms, .prefill_token = 50us, .context_token = 1us});
  return model;
}

/// Predicts from what a policy may see anyway, so that it is the same in every run.
class PromptPredictor final : public LengthPredictor {
 public:
  double output_tokens_mean(const RequestView& request) const override {
    return 1 + static_cast<double>(request.prompt_tokens * 7 % 23);
  }
  bool clairvoyant() const override { return false; }
};

// Would catch: two policies under one name, and names that do not go into a file name or an option.
TEST(Catalogue, NamesAreUniqueAndLowerCaseWithDashes) {
  std::set<std::string> names;
  for (const PolicyEntry* entry : policy_catalogue()) {
    const std::string name = entry->name;
    EXPECT_TRUE(names.insert(name).second) << name;
    EXPECT_FALSE(name.empty() || name.front() == '-' || name.back() == '-') << name;
    for (const char c : name) {
      EXPECT_TRUE((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-') << name;
    }
    EXPECT_GT(std::string(entry->summary).size(), 5u) << name;
  }
}

// Would catch: a policy lost from the list of those that this project promises.
TEST(Catalogue, HoldsThePromisedPolicies) {
  std::set<std::string> names;
  for (const PolicyEntry* entry : policy_catalogue()) names.insert(entry->name);
  for (const char* promised : {"fcfs", "mlfq", "skip-join-mlfq", "srpt"}) {
    EXPECT_TRUE(names.contains(promised)) << promised;
  }
}

// Would catch: a parameter without words, or a default outside its own range.
TEST(Catalogue, ParametersDeclareRangeAndHelpAndTakeTheirOwnDefaults) {
  for (const PolicyEntry* entry : policy_catalogue()) {
    Parameters parameters(std::string("policy ") + entry->name, {});
    entry->make(parameters);
    for (const auto& declared : parameters.declared()) {
      EXPECT_GT(declared.help.size(), 5u) << entry->name << " " << declared.name;
      EXPECT_FALSE(declared.range.empty()) << entry->name << " " << declared.name;
      EXPECT_FALSE(declared.fallback.empty()) << entry->name << " " << declared.name;
      if (declared.type != "choice") continue;
      EXPECT_NO_THROW(
          make_policy(std::string(entry->name) + ":" + declared.name + "=" + declared.fallback));
    }
  }
}

// Would catch: an unknown key or a bad choice that is swallowed.
TEST(Catalogue, UnknownParametersAndChoicesAreRefused) {
  for (const PolicyEntry* entry : policy_catalogue()) {
    const std::string name = entry->name;
    EXPECT_ANY_THROW(make_policy(name + ":no_such_key=1")) << name;
    Parameters parameters("policy " + name, {});
    entry->make(parameters);
    for (const auto& declared : parameters.declared()) {
      EXPECT_ANY_THROW(make_policy(name + ":" + declared.name + "=no_such_value")) << name;
    }
  }
}

/// One step of a history, the same for every policy that lives it.
struct Step {
  enum class What : std::uint8_t { arrive, progress, chunk, evict, end, cancel, refresh } what{};
  std::uint32_t request = 0;
  std::int64_t amount = 1;
};

std::vector<Step> random_history() {
  using rc::gen::inRange;
  const auto length = *inRange(1, 60);
  std::vector<Step> history;
  for (int i = 0; i < length; ++i) {
    history.push_back({static_cast<Step::What>(*inRange(0, 7)), *inRange<std::uint32_t>(0, 6),
                       *inRange<std::int64_t>(1, 40)});
  }
  return history;
}

/// Lives one history; a step that is impossible (an arrival of the living, an end of the dead) does
/// nothing.
class Life {
 public:
  explicit Life(const std::string& policy) : bench_(make_policy(policy), cost(), &predictor_) {}

  void take(const Step& step) {
    bench_.context.advance(1ms);
    bench_.context.count_iteration();
    const bool live = bench_.context.views.contains(RequestId{step.request});
    if (step.what == Step::What::refresh) return bench_.refresh();
    if (step.what == Step::What::arrive) {
      if (!live) bench_.arrive(step.request, step.amount);
      return;
    }
    if (!live) return;
    const std::int64_t pending = bench_.context.views.at(RequestId{step.request}).pending_tokens();
    if (step.what == Step::What::progress) bench_.progress(step.request, 1ms * step.amount);
    if (step.what == Step::What::chunk) {
      bench_.progress(step.request, 1ms, std::min(pending, step.amount));
    }
    if (step.what == Step::What::evict) bench_.evict(step.request);
    if (step.what == Step::What::end) bench_.end(step.request);
    if (step.what == Step::What::cancel) bench_.end(step.request, Departure::cancelled);
  }

  const RecordingRanking& ranking() const { return bench_.ranking; }
  const FakeContext& context() const { return bench_.context; }
  int level(std::uint32_t request) const { return bench_.level(request); }

 private:
  PromptPredictor predictor_;
  PolicyBench bench_;
};

class EveryPolicyByHand : public testing::TestWithParam<std::string> {};

// Would catch: a live request that is neither ranked nor held (it would wait for ever), and one
// that is ranked after it has left (the server breaks invariant I5).
TEST_P(EveryPolicyByHand, RanksOrHoldsTheLivingAndNobodyElse) {
  EXPECT_TRUE(rc::check([this] {
    Life life(GetParam());
    for (const Step& step : random_history()) {
      const std::size_t calls_before = life.ranking().calls.size();
      life.take(step);
      const auto& views = life.context().views;
      for (const auto& [id, view] : views) RC_ASSERT(life.ranking().places.contains(id));
      const auto& calls = life.ranking().calls;
      for (std::size_t i = calls_before; i < calls.size(); ++i) {
        RC_ASSERT(views.contains(calls[i].request));
      }
      for (const auto& [id, view] : views) {
        RC_ASSERT(life.level(static_cast<std::uint32_t>(id)) >= -1);
      }
    }
  }));
}

// Would catch: a global, an address, a clock or a draw in a policy: two objects that live the same
// history must say the same, call by call.
TEST_P(EveryPolicyByHand, SaysTheSameWhenItIsToldTheSame) {
  EXPECT_TRUE(rc::check([this] {
    const auto history = random_history();
    Life first(GetParam());
    for (const Step& step : history) first.take(step);
    Life second(GetParam());
    for (const Step& step : history) second.take(step);
    RC_ASSERT((first.ranking().calls == second.ranking().calls));
  }));
}

std::vector<std::string> all_policies() {
  auto texts = policies_under_test();
  for (const auto& text : turn_taking_policies()) texts.push_back(text);
  return texts;
}

INSTANTIATE_TEST_SUITE_P(Catalogue, EveryPolicyByHand, testing::ValuesIn(all_policies()));

}  // namespace
}  // namespace tokenyard::test
