#include "experiments/costs/linear_fit.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "sim/kernel/rng.hpp"

namespace tokenyard {
namespace {

double uniform(Rng& rng) {
  return static_cast<double>(rng() >> 11) * 0x1p-53;
}

/// A designed grid with times of the given form, off by up to `noise` of each.
std::vector<MeasuredIteration> measured(const LinearCoefficients& form, double noise) {
  std::vector<IterationLoad> loads;
  for (const std::int64_t chunk : {8, 64, 256, 1024}) {
    for (const std::int64_t before : {0, 100, 1000}) {
      loads.push_back(IterationLoad::one_prefill(chunk, chunk + before));
    }
  }
  for (const std::int64_t sequences : {1, 4, 16, 64}) {
    for (const std::int64_t context : {16, 200, 2000}) {
      IterationLoad load;
      for (std::int64_t i = 0; i < sequences; ++i) load.add_decode(context);
      loads.push_back(load);
    }
  }
  Rng rng = named_stream(7, "fit test");
  std::vector<MeasuredIteration> found;
  for (const IterationLoad& load : loads) {
    const double exact = to_seconds(LinearCostModel(form).iteration(load));
    found.push_back({load, exact * (1 + noise * (2 * uniform(rng) - 1))});
  }
  return found;
}

const LinearCoefficients kForm{.iteration_s = 5e-3,
                               .prefill_token_s = 2e-4,
                               .prefill_quadratic_s = 3e-8,
                               .decode_sequence_s = 1e-3,
                               .context_token_s = 4e-6};

// Would catch: a column or weight mixed up.
TEST(LinearFit, RecoversKnownCoefficients) {
  const LinearFit fit = fit_linear(measured(kForm, 0));
  EXPECT_TRUE(fit.dropped.empty());
  EXPECT_NEAR(fit.coefficients.iteration_s, kForm.iteration_s, 1e-6 * kForm.iteration_s);
  EXPECT_NEAR(fit.coefficients.prefill_token_s, kForm.prefill_token_s, 1e-9);
  EXPECT_NEAR(fit.coefficients.prefill_quadratic_s, kForm.prefill_quadratic_s, 1e-13);
  EXPECT_NEAR(fit.coefficients.decode_sequence_s, kForm.decode_sequence_s, 1e-8);
  EXPECT_NEAR(fit.coefficients.context_token_s, kForm.context_token_s, 1e-11);
}

// Would catch: weights that let long iterations drown short ones: the fixed part, 5 ms beside
// seconds, would be lost in their noise.
TEST(LinearFit, RecoversThemFromNoisyTimes) {
  const LinearFit fit = fit_linear(measured(kForm, 0.05));
  EXPECT_NEAR(fit.coefficients.iteration_s, kForm.iteration_s, 0.1 * kForm.iteration_s);
  EXPECT_NEAR(fit.coefficients.prefill_token_s, kForm.prefill_token_s, 0.1 * kForm.prefill_token_s);
  EXPECT_NEAR(fit.coefficients.decode_sequence_s, kForm.decode_sequence_s,
              0.1 * kForm.decode_sequence_s);
  EXPECT_NEAR(fit.coefficients.context_token_s, kForm.context_token_s, 0.1 * kForm.context_token_s);
}

// Would catch: a negative coefficient that gets through, one that is cut off at 0 while the others
// stay as they were, or one that is dropped without a word.
TEST(LinearFit, DropsWhatWouldBeNegativeAndFitsTheRestAnew) {
  // The more decodes, the less each costs: a straight line through these begins below zero.
  std::vector<MeasuredIteration> points;
  for (const std::int64_t tokens : {10, 20, 40, 80}) {
    const auto real = static_cast<double>(tokens);
    points.push_back({IterationLoad::one_prefill(tokens, tokens), 1e-5 * real * real});
  }
  const LinearFit fit = fit_linear(points);
  EXPECT_THAT(fit.dropped, testing::Contains("iteration_s"));
  EXPECT_NEAR(fit.coefficients.prefill_quadratic_s, 1e-5, 1e-10);
  EXPECT_GE(fit.coefficients.iteration_s, 0);
  EXPECT_GE(fit.coefficients.prefill_token_s, 0);
}

// Would catch: an agreement of absolute errors, or R² against the wrong constant.
TEST(AgreementOf, IsRelative) {
  const Agreement found = agreement_of(std::vector<double>{1, 2}, std::vector<double>{1.1, 1.8});
  EXPECT_NEAR(found.worst_relative, 0.1, 1e-12);
  EXPECT_NEAR(found.mean_relative, 0.1, 1e-12);
  // The best constant 1.2 misses by 0.2 and 0.4 of each: 0.2 in squares, and 0.02 is a tenth.
  EXPECT_NEAR(found.r_squared, 0.9, 1e-12);
  EXPECT_LT(agreement_of(std::vector<double>{1, 2}, std::vector<double>{2, 1}).r_squared, 0);
  EXPECT_EQ(agreement_of(std::vector<double>{2}, std::vector<double>{2}).r_squared, 1);
}

}  // namespace
}  // namespace tokenyard
