#include "models/length_predictors.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "sim/kernel/input_error.hpp"

namespace tokenyard {
namespace {

using ::testing::HasSubstr;

/// Every request's output is `base` tokens, request 7's is 1.
class FakeOracle final : public OutputOracle {
 public:
  explicit FakeOracle(std::int64_t base) : base_(base) {}
  std::int64_t output_tokens(RequestId request) const override {
    return index(request) == 7 ? 1 : base_;
  }

 private:
  std::int64_t base_;
};

RequestView view_of(std::uint32_t id) {
  RequestView view;
  view.id = RequestId{id};
  return view;
}

std::string refusal(const std::string& text) {
  const FakeOracle oracle(100);
  try {
    make_predictor(text, oracle, 50, 1);
  } catch (const InputError& error) {
    return error.what();
  }
  return "(accepted)";
}

// Would catch: a truth that is not the truth, or a run that hides that it knew it.
TEST(LengthPredictors, OracleTellsTheTruthAndIsClairvoyant) {
  const FakeOracle oracle(100);
  const auto predictor = make_predictor("oracle", oracle, 50, 1);
  EXPECT_EQ(predictor->output_tokens_mean(view_of(0)), 100);
  EXPECT_EQ(predictor->output_tokens_mean(view_of(7)), 1);
  EXPECT_TRUE(predictor->clairvoyant());
}

// Would catch: a mean that leaks the request's own truth, or a label that cries wolf.
TEST(LengthPredictors, MeanKnowsNoRequest) {
  const FakeOracle oracle(100);
  const auto predictor = make_predictor("mean", oracle, 50.5, 1);
  EXPECT_EQ(predictor->output_tokens_mean(view_of(0)), 50.5);
  EXPECT_EQ(predictor->output_tokens_mean(view_of(7)), 50.5);
  EXPECT_FALSE(predictor->clairvoyant());
  EXPECT_EQ(make_predictor("mean", oracle, 0.25, 1)->output_tokens_mean(view_of(0)), 1);
}

// Would catch: noise that changes between calls, with the request's progress, or not with the seed.
TEST(LengthPredictors, NoiseIsAFunctionOfSeedAndRequest) {
  const FakeOracle oracle(100);
  const auto a = make_predictor("noisy:sigma=0.7", oracle, 50, 1);
  const auto b = make_predictor("noisy:sigma=0.7", oracle, 50, 1);
  const auto other_seed = make_predictor("noisy:sigma=0.7", oracle, 50, 2);
  RequestView view = view_of(3);
  const double first = a->output_tokens_mean(view);
  view.generated = 40;
  a->output_tokens_mean(view_of(4));
  EXPECT_EQ(a->output_tokens_mean(view), first);
  EXPECT_EQ(b->output_tokens_mean(view), first);
  EXPECT_NE(other_seed->output_tokens_mean(view), first);
  EXPECT_NE(a->output_tokens_mean(view_of(4)), first);
  EXPECT_TRUE(a->clairvoyant());
}

// Would catch: different draws for different sigmas: log(prediction/truth)/sigma must be the same
// number, so that a sweep over sigma compares like with like.
TEST(LengthPredictors, NoiseUsesCommonRandomNumbers) {
  const FakeOracle oracle(1'000'000);
  const auto small = make_predictor("noisy:sigma=0.1", oracle, 50, 1);
  const auto large = make_predictor("noisy:sigma=0.8", oracle, 50, 1);
  const auto none = make_predictor("noisy:sigma=0", oracle, 50, 1);
  for (std::uint32_t id = 0; id < 20; ++id) {
    if (id == 7) continue;
    const double z_small = std::log(small->output_tokens_mean(view_of(id)) / 1e6) / 0.1;
    const double z_large = std::log(large->output_tokens_mean(view_of(id)) / 1e6) / 0.8;
    EXPECT_NEAR(z_small, z_large, 1e-9);
    EXPECT_EQ(none->output_tokens_mean(view_of(id)), 1e6);
  }
}

// Would catch: noise of another size or with a bias: log(prediction/truth) must have mean 0 and
// standard deviation sigma (within five standard errors).
TEST(LengthPredictors, NoiseIsLogNormal) {
  constexpr int kRequests = 20'000;
  const FakeOracle oracle(1'000'000);
  const auto predictor = make_predictor("noisy:sigma=0.5", oracle, 50, 3);
  double sum = 0;
  double squares = 0;
  for (std::uint32_t id = 100; id < 100 + kRequests; ++id) {
    const double error = std::log(predictor->output_tokens_mean(view_of(id)) / 1e6);
    sum += error;
    squares += error * error;
  }
  EXPECT_NEAR(sum / kRequests, 0, 5 * 0.5 / std::sqrt(kRequests));
  EXPECT_NEAR(squares / kRequests, 0.25, 5 * 0.25 * std::sqrt(2.0 / kRequests));
}

// Would catch: a prediction of less than one token.
TEST(LengthPredictors, PredictsAtLeastOneToken) {
  const FakeOracle oracle(1);
  const auto predictor = make_predictor("noisy:sigma=10", oracle, 50, 1);
  double least = 1e18;
  double most = 0;
  for (std::uint32_t id = 0; id < 1000; ++id) {
    least = std::min(least, predictor->output_tokens_mean(view_of(id)));
    most = std::max(most, predictor->output_tokens_mean(view_of(id)));
  }
  EXPECT_EQ(least, 1);
  EXPECT_LE(most, 1e12);
}

// Would catch: a misspelled predictor or parameter that is silently ignored.
TEST(LengthPredictors, RefusesUnknownNamesAndValues) {
  EXPECT_EQ(refusal("noisi"), "unknown predictor 'noisi' (did you mean 'noisy'?)");
  EXPECT_EQ(refusal(""), "unknown predictor ''; known are oracle, noisy, mean");
  EXPECT_EQ(refusal("noisy:sigma=-1"),
            "predictor noisy: sigma: expected a number from 0 to 10, found '-1'");
  EXPECT_EQ(refusal("noisy:sgma=1"),
            "predictor noisy: unknown parameter 'sgma' (did you mean 'sigma'?)");
  EXPECT_EQ(refusal("oracle:sigma=1"), "predictor oracle: unknown parameter 'sigma'; it has none");
  EXPECT_THAT(refusal("noisy:"), HasSubstr("predictor noisy: expected key=value"));
  EXPECT_EQ(refusal("noisy"), "(accepted)");
}

// Would catch: a predictor that `list predictors` does not show, or not with what it takes.
TEST(LengthPredictors, DescribesWhatItMakes) {
  const FakeOracle oracle(100);
  const auto help = describe_predictors();
  ASSERT_EQ(help.size(), 3U);
  for (const auto& entry : help) {
    EXPECT_NE(make_predictor(entry.name, oracle, 50, 1), nullptr);
    EXPECT_FALSE(entry.summary.empty());
  }
  EXPECT_EQ(help[1].name, "noisy");
  ASSERT_EQ(help[1].parameters.size(), 1U);
  EXPECT_EQ(help[1].parameters[0].name, "sigma");
  EXPECT_EQ(help[1].parameters[0].range, "0 to 10");
}

}  // namespace
}  // namespace tokenyard
