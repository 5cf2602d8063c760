#include "models/linear_cost_model.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <chrono>
#include <cstdint>
#include <string>

#include "sim/kernel/input_error.hpp"

namespace tokenyard {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::StartsWith;

LinearCostModel from_text(const std::string& text) {
  return LinearCostModel::from_json(JsonFile::parse(text, "cost.json"));
}

std::string refusal(const std::string& text) {
  try {
    from_text(text);
  } catch (const InputError& error) {
    return error.what();
  }
  return "(accepted)";
}

IterationLoad mixed_load() {
  IterationLoad load;
  load.add_prefill(100, 100);
  load.add_prefill(50, 250);
  load.add_decode(30);
  load.add_decode(70);
  return load;
}

// Would catch: a coefficient that multiplies the wrong sum. Each is 1 s in turn.
TEST(LinearCostModel, EachCoefficientMultipliesItsOwnSum) {
  EXPECT_EQ(from_text(R"({"kind":"linear","iteration_s":1})").iteration(mixed_load()), 1s);
  EXPECT_EQ(from_text(R"({"kind":"linear","prefill_token_s":1})").iteration(mixed_load()), 150s);
  EXPECT_EQ(from_text(R"({"kind":"linear","prefill_quadratic_s":1})").iteration(mixed_load()),
            22'500s);
  EXPECT_EQ(from_text(R"({"kind":"linear","decode_sequence_s":1})").iteration(mixed_load()), 2s);
  EXPECT_EQ(from_text(R"({"kind":"linear","context_token_s":1})").iteration(mixed_load()), 100s);
  EXPECT_EQ(from_text(R"({"kind":"linear"})").iteration(mixed_load()), 0s);
}

// Would catch: a coefficient that is lost or loses digits on its way through a file.
TEST(LinearCostModel, IsTheSameAfterItsText) {
  const LinearCoefficients written{0.1, 1.0 / 3, 1e-13, 2e-7, 5e-324, 7, 1e6};
  const LinearCoefficients read = from_text(LinearCostModel(written).to_json()).coefficients();
  EXPECT_EQ(read.iteration_s, written.iteration_s);
  EXPECT_EQ(read.prefill_token_s, written.prefill_token_s);
  EXPECT_EQ(read.prefill_quadratic_s, written.prefill_quadratic_s);
  EXPECT_EQ(read.decode_sequence_s, written.decode_sequence_s);
  EXPECT_EQ(read.context_token_s, written.context_token_s);
  EXPECT_EQ(read.swap_block_s, written.swap_block_s);
  EXPECT_EQ(read.copy_block_s, written.copy_block_s);
  EXPECT_EQ(LinearCostModel(LinearCoefficients{}).to_json(), R"({"kind":"linear"})");
}

// Would catch: a sum that forgets a term, or the swap coefficient charged to iterations.
TEST(LinearCostModel, TermsAddUp) {
  const auto model = from_text(
      R"({"kind":"linear","iteration_s":0.01,"prefill_token_s":1e-4,"prefill_quadratic_s":1e-8,
          "decode_sequence_s":1e-3,"context_token_s":1e-6,"swap_block_s":0.5})");
  EXPECT_EQ(model.iteration(mixed_load()), 10ms + 15ms + 225us + 2ms + 100us);
  EXPECT_EQ(model.coefficients().swap_block_s, 0.5);
  EXPECT_EQ(model.copy(3), std::chrono::milliseconds(1500));
}

// Would catch: rounding of each term instead of the sum (0.4 ns + 0.4 ns is 1 ns, not 0).
TEST(LinearCostModel, RoundsOnceAnIteration) {
  const auto model =
      from_text(R"({"kind":"linear","iteration_s":4e-10,"decode_sequence_s":4e-10})");
  EXPECT_EQ(model.iteration(IterationLoad::one_decode(1)), 1ns);
}

// Would catch: a constant-rate server (the theory checks' model) that drifts from 1 ms.
TEST(LinearCostModel, ConstantRateServerIsExact) {
  const auto model = from_text(R"({"kind":"linear","iteration_s":0.001})");
  for (std::int64_t context = 1; context < 10'000; context += 997) {
    EXPECT_EQ(model.iteration(IterationLoad::one_decode(context)), 1ms);
  }
}

// Would catch: an iteration that gets cheaper when it has more to do.
RC_GTEST_PROP(LinearCostModel, MoreLoadNeverCostsLess, ()) {
  LinearCoefficients coefficients;
  const auto coefficient = [] { return *rc::gen::inRange(0, 1'000'000) * 1e-9; };
  coefficients.iteration_s = coefficient();
  coefficients.prefill_token_s = coefficient();
  coefficients.prefill_quadratic_s = coefficient();
  coefficients.decode_sequence_s = coefficient();
  coefficients.context_token_s = coefficient();
  const LinearCostModel model(coefficients);
  IterationLoad load;
  Duration last = model.iteration(load);
  for (int step = 0; step < 10; ++step) {
    if (*rc::gen::arbitrary<bool>()) {
      load.add_decode(*rc::gen::inRange(1, 4096));
    } else {
      const int chunk = *rc::gen::inRange(1, 2048);
      load.add_prefill(chunk, chunk + *rc::gen::inRange(0, 2048));
    }
    const Duration next = model.iteration(load);
    RC_ASSERT(next >= last);
    last = next;
  }
}

// Would catch: a misspelled, negative, textual or absurd coefficient that is taken in silence.
TEST(LinearCostModel, RefusesWhatIsNotInTheFormat) {
  EXPECT_EQ(refusal("{\"kind\":\"linear\",\n\"iteration\":0.1}"),
            "cost.json:2: /iteration: unknown key (did you mean 'iteration_s'?)");
  EXPECT_EQ(refusal(R"({"kind":"linear","iteration_s":-0.1})"),
            "cost.json:1: /iteration_s: expected a number from 0 to 1000000, found -0.1");
  EXPECT_THAT(refusal(R"({"kind":"linear","context_token_s":"1e-6"})"),
              HasSubstr("/context_token_s: expected a number"));
  EXPECT_THAT(refusal(R"({"kind":"linear","prefill_token_s":null})"), HasSubstr("found null"));
  EXPECT_THAT(refusal(R"({"kind":"linear","swap_block_s":-1})"), HasSubstr("/swap_block_s: "));
  EXPECT_THAT(refusal(R"({"iteration_s":1})"), StartsWith("cost.json:1: /kind: missing"));
}

// Would catch: wrong units that end in an internal error instead of a message about the input.
TEST(LinearCostModel, AnIterationOfAYearIsAnInputError) {
  const auto model = from_text(R"({"kind":"linear","prefill_quadratic_s":1000})");
  EXPECT_THROW(model.iteration(IterationLoad::one_prefill(100'000, 100'000)), InputError);
}

}  // namespace
}  // namespace tokenyard
