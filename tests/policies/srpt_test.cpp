#include <gtest/gtest.h>

#include "sim/kernel/input_error.hpp"
#include "tests/support/fake_scheduling.hpp"
#include "tests/support/integer_cost.hpp"
#include "tests/support/simulation.hpp"

namespace tokenyard::test {
namespace {

using namespace std::chrono_literals;
using Order = std::vector<std::uint32_t>;

/// Predicts a number by request, or one number for all.
class TablePredictor final : public LengthPredictor {
 public:
  explicit TablePredictor(std::map<std::uint32_t, double> tokens, double otherwise)
      : tokens_(std::move(tokens)), otherwise_(otherwise) {}

  double output_tokens_mean(const RequestView& request) const override {
    const auto found = tokens_.find(static_cast<std::uint32_t>(request.id));
    return found == tokens_.end() ? otherwise_ : found->second;
  }
  bool clairvoyant() const override { return false; }

 private:
  std::map<std::uint32_t, double> tokens_;
  double otherwise_;
};

// Would catch: a run that starts without the predictor, or one that is not labelled.
TEST(Srpt, NeedsALengthPredictor) {
  EXPECT_TRUE(make_policy("srpt")->needs().length_predictor);
}

// Would catch: a key that is not predicted minus produced, or that is not updated by each token.
TEST(Srpt, TheKeyIsWhatIsStillToBeProduced) {
  const IntegerCost cost(1ms);
  const TablePredictor predictor({{0, 10}, {1, 8}}, 1);
  PolicyBench bench(make_policy("srpt"), cost, &predictor);
  bench.arrive(0, 500);
  bench.arrive(1, 7);
  EXPECT_EQ(bench.ranking.key(0), (RankKey{10}));
  EXPECT_EQ(bench.ranking.order(), (Order{1, 0})) << "the prompt does not count by tokens";
  for (int token = 1; token <= 3; ++token) bench.progress(0, 1ms);
  EXPECT_EQ(bench.ranking.key(0), (RankKey{7}));
  EXPECT_EQ(bench.ranking.order(), (Order{0, 1}));
}

// Would catch: a chunk of a prompt that is counted as a produced token.
TEST(Srpt, AChunkThatYieldsNothingKeepsTheKey) {
  const IntegerCost cost(1ms);
  const TablePredictor predictor({{0, 10}}, 1);
  PolicyBench bench(make_policy("srpt"), cost, &predictor);
  bench.arrive(0, 500);
  bench.progress(0, 1ms, 200);
  EXPECT_EQ(bench.ranking.key(0), (RankKey{10}));
}

// Would catch: a key of zero or less: whoever outlives its prediction would jump the queue by the
// amount of the error.
TEST(Srpt, TheKeyIsAtLeastOne) {
  const IntegerCost cost(1ms);
  const TablePredictor mean({}, 2.4);
  PolicyBench bench(make_policy("srpt"), cost, &mean);
  bench.arrive(0);
  EXPECT_EQ(bench.ranking.key(0), (RankKey{2})) << "predictions are rounded";
  for (int token = 1; token <= 5; ++token) bench.progress(0, 1ms);
  EXPECT_EQ(bench.ranking.key(0), (RankKey{1}));
}

// Would catch: ties that go to the later request.
TEST(Srpt, WithTheMeanPredictorWhoHasRunMostIsFirstAndTiesGoToTheSmallerId) {
  const IntegerCost cost(1ms);
  const TablePredictor mean({}, 50);
  PolicyBench bench(make_policy("srpt"), cost, &mean);
  bench.arrive(1);
  bench.arrive(0);
  bench.arrive(2);
  EXPECT_EQ(bench.ranking.order(), (Order{0, 1, 2}));
  bench.progress(2, 1ms);
  EXPECT_EQ(bench.ranking.order(), (Order{2, 0, 1}));
}

// Would catch: a work key without the prompt, or one that charges the prompt again after it was
// computed. Alone: an iteration 1 ms, a prompt token 0.1 ms.
TEST(Srpt, ByWorkTheKeyIsTheTimeThatPromptAndTokensTakeAlone) {
  const IntegerCost cost({.iteration = 1ms, .prefill_token = 100us});
  const TablePredictor predictor({{0, 3}, {1, 5}}, 1);
  PolicyBench bench(make_policy("srpt:size=work"), cost, &predictor);
  bench.arrive(0, 40);  // prefill 5 ms, then 2 tokens: 7 ms
  bench.arrive(1, 10);  // prefill 2 ms, then 4 tokens: 6 ms
  EXPECT_EQ(bench.ranking.key(0), (RankKey{7'000'000}));
  EXPECT_EQ(bench.ranking.key(1), (RankKey{6'000'000}));
  bench.progress(0, 5ms);
  EXPECT_EQ(bench.ranking.key(0), (RankKey{2'000'000}));
  EXPECT_EQ(bench.ranking.order(), (Order{0, 1}));
}

// Would catch: a half-computed prompt charged in full.
TEST(Srpt, ByWorkAChunkLessensTheKey) {
  const IntegerCost cost({.iteration = 1ms, .prefill_token = 100us});
  const TablePredictor predictor({{0, 3}}, 1);
  PolicyBench bench(make_policy("srpt:size=work"), cost, &predictor);
  bench.arrive(0, 40);
  bench.progress(0, 2ms, 10);  // 30 prompt tokens are left: 4 ms, then 2 ms
  EXPECT_EQ(bench.ranking.key(0), (RankKey{6'000'000}));
}

// Would catch: a typing error that runs the wrong experiment.
TEST(Srpt, RefusesWhatItDoesNotKnow) {
  EXPECT_THROW(make_policy("srpt:size=bytes"), InputError);
  EXPECT_THROW(make_policy("srpt:sise=work"), InputError);
}

}  // namespace
}  // namespace tokenyard::test
