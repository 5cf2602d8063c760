#include "engine/sampling/sampler.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <vector>

#include "sim/kernel/invariant.hpp"
#include "tests/engine/random_logits.hpp"

namespace tokenyard {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

SamplingParams greedy() {
  SamplingParams params;
  params.temperature = 0.0;
  return params;
}

/// Chi-square of `draws` draws at positions 0, 1, … against `expected` probabilities.
double chi_square(const SamplingParams& params, const std::vector<float>& logits,
                  const std::vector<double>& expected, std::int64_t draws) {
  Sampler sampler;
  std::vector<std::int64_t> found(logits.size());
  for (std::int64_t i = 0; i < draws; ++i) {
    const Sample sample = sampler.sample({.params = params,
                                          .logits = logits,
                                          .masked = {},
                                          .seed = 11,
                                          .sequence = 3,
                                          .position = i});
    ++found.at(static_cast<std::size_t>(sample.token));
  }
  double sum = 0.0;
  for (std::size_t token = 0; token < logits.size(); ++token) {
    if (expected[token] == 0.0) {
      EXPECT_EQ(found[token], 0) << token;
      continue;
    }
    const double mean = expected[token] * static_cast<double>(draws);
    sum += (static_cast<double>(found[token]) - mean) * (static_cast<double>(found[token]) - mean) /
           mean;
  }
  return sum;
}

std::vector<double> softmax(const std::vector<float>& logits, double temperature) {
  std::vector<double> result;
  for (const float logit : logits)
    result.push_back(std::exp(static_cast<double>(logit) / temperature));
  const double total = std::accumulate(result.begin(), result.end(), 0.0);
  for (double& probability : result) probability /= total;
  return result;
}

// Would catch: draws that do not follow the softmax at the temperature asked for, over more than
// one block. With 99 degrees of freedom chi-square is above 161 once in 10,000 such tests (the seed
// is fixed, so that it is no matter of luck again).
TEST(Sampler, DrawsFromTheSoftmax) {
  const auto logits = test::random_logits(5, 100, 1.0);
  SamplingParams params;
  for (const double temperature : {0.5, 1.0, 2.0}) {
    params.temperature = temperature;
    EXPECT_LT(chi_square(params, logits, softmax(logits, temperature), 100'000), 161.0);
  }
}

// Would catch: a cut distribution that is not rescaled, or draws of what is cut. 9 degrees of
// freedom: above 34 once in 10,000.
TEST(Sampler, DrawsFromWhatTheFiltersLeave) {
  const auto logits = test::random_logits(6, 100, 1.0);
  auto expected = softmax(logits, 1.0);
  auto sorted = expected;
  std::sort(sorted.rbegin(), sorted.rend());
  double left = 0.0;
  for (double& probability : expected) {
    if (probability < sorted[9]) probability = 0.0;
    left += probability;
  }
  for (double& probability : expected) probability /= left;
  SamplingParams params;
  params.top_k = 10;
  EXPECT_LT(chi_square(params, logits, expected, 50'000), 34.0);
  params = {};
  params.min_p = (sorted[9] + sorted[10]) / 2 / sorted[0];
  EXPECT_LT(chi_square(params, logits, expected, 50'000), 34.0);
  params = {};
  params.top_p = left - sorted[9] / 2;
  EXPECT_LT(chi_square(params, logits, expected, 50'000), 34.0);
}

// Would catch: draws that repeat or go together over seeds, sequences or positions: pairs of draws
// fall evenly into 100 squares. 99 degrees of freedom: above 161 once in 10,000.
TEST(Sampler, NumbersOfNeighboursAreIndependent) {
  const auto pairs = [](const auto& draw) {
    std::vector<double> squares(100);
    for (std::int64_t i = 0; i < 20'000; ++i) {
      const auto [a, b] = draw(i);
      squares[static_cast<std::size_t>(a * 10) * 10 + static_cast<std::size_t>(b * 10)] += 1;
    }
    double sum = 0.0;
    for (const double found : squares) sum += (found - 200) * (found - 200) / 200;
    return sum;
  };
  EXPECT_LT(pairs([](std::int64_t i) {
              return std::pair(sampling_draw(1, 0, i), sampling_draw(1, 0, i + 1));
            }),
            161.0);
  EXPECT_LT(pairs([](std::int64_t i) {
              return std::pair(sampling_draw(1, 0, i), sampling_draw(1, 1, i));
            }),
            161.0);
  EXPECT_LT(pairs([](std::int64_t i) {
              const auto seed = static_cast<std::uint64_t>(i);
              return std::pair(sampling_draw(seed, 0, 0), sampling_draw(seed + 1, 0, 0));
            }),
            161.0);
  std::set<double> seen;
  for (std::int32_t sequence = 0; sequence < 100; ++sequence) {
    for (std::int64_t position = 0; position < 100; ++position) {
      seen.insert(sampling_draw(9, sequence, position));
    }
  }
  EXPECT_EQ(seen.size(), 10'000U);
}

// Would catch: numbers that changed, with which every recorded output would change too.
TEST(Sampler, NumbersAreThoseOfTheRecord) {
  EXPECT_EQ(sampling_draw(0, 0, 0), 0x1.90713129ec035p-1);
  EXPECT_EQ(sampling_draw(1, 0, 0), 0x1.67d995a663051p-1);
  EXPECT_EQ(sampling_draw(1, 2, 3), 0x1.81cdb7993064bp-1);
}

// Would catch: a result that depends on rows sampled before, on their order, or on the sampler.
TEST(Sampler, IsTheSameInAnyOrder) {
  struct Case {
    SamplingParams params;
    std::vector<float> logits;
    std::int64_t position = 0;
  };
  std::vector<Case> cases;
  for (int i = 0; i < 60; ++i) {
    SamplingParams params;
    params.temperature = i % 4 == 0 ? 0.0 : 0.3 * (i % 5 + 1);
    params.top_k = i % 3 == 0 ? 0 : i;
    params.top_p = i % 7 == 0 ? 1.0 : 0.95;
    params.min_p = i % 2 == 0 ? 0.0 : 0.01;
    params.repetition_penalty = i % 6 == 0 ? 1.2 : 1.0;
    params.logprobs = i % 5;
    const auto seed = static_cast<std::uint64_t>(i);
    cases.push_back({params, test::random_logits(seed, 50 + seed * 31, 2.0), i});
  }
  const TokenCounts counts(std::vector<Token>{1, 2, 3});
  const std::vector<Token> masked = {4};
  const auto run = [&](Sampler& sampler, const Case& c) {
    const Sample sample = sampler.sample({.params = c.params,
                                          .logits = c.logits,
                                          .counts = &counts,
                                          .masked = masked,
                                          .seed = 5,
                                          .sequence = 1,
                                          .position = c.position});
    EXPECT_EQ(sample.status, RowStatus::good);
    std::vector<std::pair<Token, float>> result = {{sample.token, sample.logprob}};
    for (const auto& [token, logprob] : sample.top) result.emplace_back(token, logprob);
    return result;
  };
  Sampler forwards;
  std::vector<std::vector<std::pair<Token, float>>> expected;
  for (const Case& c : cases) expected.push_back(run(forwards, c));
  Sampler backwards;
  for (std::size_t i = cases.size(); i-- > 0;) {
    EXPECT_EQ(run(backwards, cases[i]), expected[i]) << i;
    Sampler fresh;
    EXPECT_EQ(run(fresh, cases[i]), expected[i]) << i;
  }
}

// Would catch: a crash or a token where there are no probabilities, also where only a filter or a
// mask has looked.
TEST(Sampler, SaysWhatIsWrongWithARow) {
  Sampler sampler;
  const TokenCounts counts(std::vector<Token>{0});
  std::vector<SamplingParams> all(4);
  all[0] = greedy();
  all[1].top_k = 2;
  all[2].repetition_penalty = 2.0;
  all[3].logprobs = 1;
  for (const SamplingParams& params : all) {
    const auto status = [&](std::vector<float> logits, std::vector<Token> masked) {
      const Sample sample =
          sampler.sample({.params = params, .logits = logits, .counts = &counts, .masked = masked});
      EXPECT_EQ(sample.token >= 0, sample.status == RowStatus::good);
      return sample.status;
    };
    EXPECT_EQ(status({0.0F, NAN, 1.0F}, {}), RowStatus::not_a_number);
    EXPECT_EQ(status({0.0F, NAN, 1.0F}, {1}), RowStatus::not_a_number);
    EXPECT_EQ(status({0.0F, kInfinity, 1.0F}, {1}), RowStatus::not_a_number);
    EXPECT_EQ(status({-kInfinity, -kInfinity}, {}), RowStatus::all_masked);
    EXPECT_EQ(status({0.0F, 1.0F}, {0, 1}), RowStatus::all_masked);
    EXPECT_EQ(status({0.0F, 1.0F}, {1, 2, 99, -1}), RowStatus::good);
    EXPECT_EQ(status({3e38F, -3e38F}, {}), RowStatus::good);
  }
}

// Would catch: penalties or masks that the greedy choice passes over, or that change the caller's
// row; a request with penalties whose tokens nobody counts.
TEST(Sampler, ChoosesAfterPenaltiesAndMasks) {
  Sampler sampler;
  SamplingParams params = greedy();
  const std::vector<float> logits = {1.0F, 3.0F, 2.0F, 2.9F};
  const std::vector<Token> masked = {1};
  const auto choose = [&](const TokenCounts* counts, std::span<const Token> mask) {
    return sampler.sample({.params = params, .logits = logits, .counts = counts, .masked = mask})
        .token;
  };
  EXPECT_EQ(choose(nullptr, {}), 1);
  EXPECT_EQ(choose(nullptr, masked), 3);
  params.frequency_penalty = 0.5;
  TokenCounts counts({});
  EXPECT_EQ(choose(&counts, {}), 1);
  counts.add_output(1);
  EXPECT_EQ(choose(&counts, {}), 3);
  counts.add_output(3);
  counts.add_output(3);
  EXPECT_EQ(choose(&counts, masked), 2);
  EXPECT_EQ(logits[1], 3.0F);
  EXPECT_THROW(choose(nullptr, {}), InvariantBroken);
}

// Would catch: log-probabilities after temperature, penalties, masks or filters, or not of the
// chosen token; too few or unsorted top ones.
TEST(Sampler, GivesTheModelsLogProbabilities) {
  const auto logits = test::random_logits(8, 300, 2.0);
  const auto expected = softmax(logits, 1.0);
  Sampler sampler;
  SamplingParams params;
  params.temperature = 1.7;
  params.top_k = 40;
  params.presence_penalty = 1.0;
  TokenCounts counts({});
  counts.add_output(0);
  const std::vector<Token> masked = {
      static_cast<Token>(std::max_element(logits.begin(), logits.end()) - logits.begin())};
  for (const std::int32_t asked : {0, 1, 20, -1, 1000}) {
    params.logprobs = asked;
    const Sample sample = sampler.sample(
        {.params = params, .logits = logits, .counts = &counts, .masked = masked, .position = 4});
    EXPECT_NEAR(sample.logprob, std::log(expected[static_cast<std::size_t>(sample.token)]), 1e-5);
    ASSERT_EQ(sample.top.size(), asked < 0 || asked > 300 ? 300U : static_cast<std::size_t>(asked));
    EXPECT_TRUE(asked == 0 || sample.top[0].token == masked[0]);
    for (std::size_t i = 0; i < sample.top.size(); ++i) {
      const auto token = static_cast<std::size_t>(sample.top[i].token);
      EXPECT_NEAR(sample.top[i].logprob, std::log(expected[token]), 1e-5);
      EXPECT_TRUE(i == 0 || sample.top[i - 1].logprob >= sample.top[i].logprob);
    }
  }
  params.logprobs.reset();
  EXPECT_TRUE(sampler.sample({.params = params, .logits = logits, .counts = &counts}).top.empty());
}

// Would catch: a choice that trips over vocabularies of one token, or over equal logits.
TEST(Sampler, ChoosesAmongOneAndAmongEquals) {
  Sampler sampler;
  SamplingParams params;
  const std::vector<float> one = {-5.0F};
  EXPECT_EQ(sampler.sample({.params = params, .logits = one}).token, 0);
  const std::vector<float> equal(250'000, 0.0F);
  params.top_k = 1;
  EXPECT_EQ(sampler.sample({.params = params, .logits = equal}).token, 0);
  params.top_k = 0;
  for (std::int64_t i = 0; i < 20; ++i) {
    const double u = sampling_draw(0, 0, i);
    const Sample sample =
        sampler.sample({.params = params, .logits = equal, .seed = 0, .position = i});
    EXPECT_EQ(sample.token, static_cast<Token>(u * 250'000));
  }
}

}  // namespace
}  // namespace tokenyard
