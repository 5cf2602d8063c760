#include "engine/sampling/beam_search.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <set>
#include <vector>

#include "sim/kernel/invariant.hpp"
#include "sim/ports/block_hash.hpp"
#include "tests/engine/random_logits.hpp"

namespace tokenyard {
namespace {

using testing::ElementsAre;

using Output = std::vector<Token>;
/// Logits after an output.
using Model = std::function<std::vector<float>(const Output&)>;

/// A model of `vocabulary` tokens whose logits are drawn anew after each output.
Model random_model(std::uint64_t seed, std::size_t vocabulary, double deviation = 1.0) {
  return [=](const Output& output) {
    BlockHash hash{seed + 1};
    for (const Token token : output) hash = chain(hash, static_cast<std::uint64_t>(token));
    return test::random_logits(static_cast<std::uint64_t>(hash), vocabulary, deviation);
  };
}

SamplingParams beams(std::int32_t width, std::int64_t max_tokens) {
  SamplingParams params;
  params.temperature = 0.0;
  params.beam_width = width;
  params.n = width;
  params.max_tokens = max_tokens;
  return params;
}

StopRule rule_of(const SamplingParams& params, std::vector<Token> ends = {0}) {
  return {params, ends, 10, 1000};
}

std::map<std::int32_t, Output> histories_of(std::int32_t width) {
  std::map<std::int32_t, Output> histories;
  for (std::int32_t i = 0; i < width; ++i) histories[i];
  return histories;
}

/// One step as an executor makes it, which keeps the history of each sequence itself.
RowStatus step(BeamSearch& search, const Model& model, std::map<std::int32_t, Output>& histories) {
  std::vector<std::vector<float>> logits;
  const bool first = histories.begin()->second.empty();
  for (const std::int32_t sequence : search.live()) {
    if (!first || logits.empty()) logits.push_back(model(histories.at(sequence)));
  }
  const RowStatus status =
      search.step(std::vector<std::span<const float>>(logits.begin(), logits.end()));
  if (status != RowStatus::good) return status;
  std::map<std::int32_t, Output> next;
  for (const BeamMove& move : search.moves()) {
    next[move.sequence] = histories.at(move.parent);
    next[move.sequence].push_back(move.token);
  }
  histories = std::move(next);
  return status;
}

/// Runs the search to its end; returns the number of steps.
int run(BeamSearch& search, const Model& model, std::int32_t width) {
  auto histories = histories_of(width);
  int steps = 0;
  while (!search.done()) {
    EXPECT_EQ(step(search, model, histories), RowStatus::good);
    ++steps;
    for (const auto& [sequence, history] : histories) {
      EXPECT_TRUE(history.back() < 0 || search.output(sequence) == history) << sequence;
    }
  }
  return steps;
}

std::vector<double> log_softmax(const std::vector<float>& logits) {
  double total = 0.0;
  for (const float logit : logits) total += std::exp(static_cast<double>(logit));
  std::vector<double> result;
  for (const float logit : logits) result.push_back(static_cast<double>(logit) - std::log(total));
  return result;
}

struct Found {
  Output tokens;
  double sum = 0.0;
  double score = 0.0;
};

void by_score(std::vector<Found>& found) {
  std::stable_sort(found.begin(), found.end(),
                   [](const Found& a, const Found& b) { return a.score > b.score; });
}

/// Every output there is, best first.
void enumerate(const Model& model, Output& so_far, double sum, std::size_t most, double penalty,
               std::vector<Found>& all) {
  const auto logprobs = log_softmax(model(so_far));
  for (std::size_t token = 0; token < logprobs.size(); ++token) {
    so_far.push_back(static_cast<Token>(token));
    const double next = sum + logprobs[token];
    if (token == 0 || so_far.size() == most) {
      const double length = static_cast<double>(so_far.size());
      all.push_back({so_far, next, next / std::pow(length, penalty)});
    } else {
      enumerate(model, so_far, next, most, penalty, all);
    }
    so_far.pop_back();
  }
}

void expect_equal(const std::vector<Hypothesis>& found, const std::vector<Found>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].tokens, expected[i].tokens) << i;
    EXPECT_NEAR(found[i].sum_logprob, expected[i].sum, 1e-5);
    EXPECT_NEAR(found[i].score, expected[i].score, 1e-5);
  }
}

// Would catch: candidates lost, sums or scores wrong, outputs put together from wrong parents:
// beams enough for all there is (40 + 81 outputs of 3 tokens and an end) find all, in order.
TEST(BeamSearch, FindsEverythingWhereItIsWideEnough) {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    for (const double penalty : {1.0, 0.0, -1.0, 2.0}) {
      const Model model = random_model(seed, 4, 1.5);
      SamplingParams params = beams(130, 4);
      params.length_penalty = penalty;
      const StopRule rule = rule_of(params);
      BeamSearch search(params, rule);
      EXPECT_EQ(run(search, model, 130), 4);
      std::vector<Found> all;
      Output none;
      enumerate(model, none, 0.0, 4, penalty, all);
      by_score(all);
      ASSERT_EQ(all.size(), 121U);
      expect_equal(search.best(), all);
    }
  }
}

/// Beam search as Hugging Face has it, with whole outputs in f64 and full sorts. Returns the
/// outputs, best first, and the number of steps.
std::pair<std::vector<Found>, int> plain_beam_search(const Model& model,
                                                     const SamplingParams& params,
                                                     const std::set<Token>& ends) {
  const auto width = static_cast<std::size_t>(params.beam_width);
  const auto score = [&](double sum, double length) {
    return sum / std::pow(length, params.length_penalty);
  };
  std::vector<Found> live = {{}};
  std::vector<Found> pool;
  for (std::int64_t length = 1;; ++length) {
    std::vector<Found> candidates;
    for (const Found& beam : live) {
      const auto logprobs = log_softmax(model(beam.tokens));
      for (std::size_t token = 0; token < logprobs.size(); ++token) {
        if (length <= params.min_tokens && ends.contains(static_cast<Token>(token))) continue;
        Output tokens = beam.tokens;
        tokens.push_back(static_cast<Token>(token));
        const double sum = beam.sum + logprobs[token];
        candidates.push_back({tokens, sum, score(sum, static_cast<double>(length))});
      }
    }
    std::stable_sort(candidates.begin(), candidates.end(),
                     [](const Found& a, const Found& b) { return a.sum > b.sum; });
    live.clear();
    for (std::size_t rank = 0; rank < candidates.size() && live.size() < width; ++rank) {
      if (!ends.contains(candidates[rank].tokens.back())) {
        live.push_back(candidates[rank]);
      } else if (rank < width) {
        pool.push_back(candidates[rank]);
      }
    }
    by_score(pool);
    pool.resize(std::min(pool.size(), width));
    const bool longest =
        params.early_stopping == EarlyStopping::never && params.length_penalty > 0.0;
    const double reach = static_cast<double>(longest ? *params.max_tokens : length);
    const bool done = pool.size() == width && (params.early_stopping == EarlyStopping::on ||
                                               pool.back().score >= score(live[0].sum, reach));
    if (!done && length < *params.max_tokens) continue;
    if (!done) pool.insert(pool.end(), live.begin(), live.end());
    by_score(pool);
    pool.resize(width);
    return {pool, static_cast<int>(length)};
  }
}

// Would catch: any departure from the plain form of the search: widths, several end tokens (which
// take more than twice the width of candidates), penalties, early stopping, min_tokens.
TEST(BeamSearch, AgreesWithThePlainForm) {
  int ended = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    for (const std::int32_t width : {1, 2, 3, 5}) {
      for (const EarlyStopping early :
           {EarlyStopping::off, EarlyStopping::on, EarlyStopping::never}) {
        SamplingParams params = beams(width, 7);
        params.early_stopping = early;
        params.length_penalty = std::vector{1.0, 0.3, -0.5, 2.0}[seed % 4];
        params.min_tokens = static_cast<std::int64_t>(seed % 3);
        const std::set<Token> ends = seed % 2 == 0 ? std::set<Token>{1} : std::set<Token>{1, 4, 6};
        const Model model = random_model(seed, 9, 1.5);
        const StopRule rule = rule_of(params, {ends.begin(), ends.end()});
        BeamSearch search(params, rule);
        const int steps = run(search, model, width);
        const auto [expected, expected_steps] = plain_beam_search(model, params, ends);
        EXPECT_EQ(steps, expected_steps);
        expect_equal(search.best(), expected);
        for (const Hypothesis& found : search.best()) ended += found.ended ? 1 : 0;
      }
    }
  }
  EXPECT_GT(ended, 200);
}

// Would catch: ties that do not go to the lower parent and then to the lower token.
TEST(BeamSearch, BreaksTiesByParentAndToken) {
  const SamplingParams params = beams(3, 2);
  const StopRule rule = rule_of(params, {});
  BeamSearch search(params, rule);
  auto histories = histories_of(3);
  const Model equal = [](const Output&) { return std::vector<float>(5, 0.0F); };
  step(search, equal, histories);
  EXPECT_THAT(histories[0], ElementsAre(0));
  EXPECT_THAT(histories[1], ElementsAre(1));
  EXPECT_THAT(histories[2], ElementsAre(2));
  step(search, equal, histories);
  EXPECT_THAT(histories[0], ElementsAre(0, 0));
  EXPECT_THAT(histories[1], ElementsAre(0, 1));
  EXPECT_THAT(histories[2], ElementsAre(0, 2));
}

// Would catch: beams that change places for nothing, which costs block tables and histories.
TEST(BeamSearch, ABestChildKeepsItsParentsPlace) {
  const SamplingParams params = beams(3, 3);
  const StopRule rule = rule_of(params, {});
  BeamSearch search(params, rule);
  auto histories = histories_of(3);
  const Model model = [](const Output& output) {
    if (output.empty()) return std::vector<float>{0.2F, 0.1F, 0.0F, -9.0F};
    if (output[0] == 2) return std::vector<float>{8.0F, -9.0F, 7.9F, 0.0F};
    return std::vector<float>{0.0F, 0.0F, 0.0F, output[0] == 1 ? 1.0F : 0.0F};
  };
  step(search, model, histories);
  for (const BeamMove& move : search.moves()) EXPECT_EQ(move.parent, move.sequence);
  step(search, model, histories);
  // Sequence 2 has the two best, 1 the third; 0 has none and takes in the second.
  EXPECT_THAT(histories[0], ElementsAre(2, 2));
  EXPECT_THAT(histories[1], ElementsAre(1, 3));
  EXPECT_THAT(histories[2], ElementsAre(2, 0));
}

// Would catch: a length penalty that lengthens where it is to shorten, and a length without the end
// token: of two outputs with sums -1 and -1.5 and lengths 1 and 2, scores are -1 and -0.75.
TEST(BeamSearch, LengthPenaltyDecidesBetweenLengths) {
  const Model model = [](const Output& output) {
    const float far = -1e30F;
    if (output.empty()) return std::vector<float>{-1.0F, std::log(1.0F - std::exp(-1.0F)), far};
    const float rest = -1.5F - std::log(1.0F - std::exp(-1.0F));
    return std::vector<float>{rest, std::log(1.0F - std::exp(rest)), far};
  };
  for (const auto& [penalty, length] :
       std::vector<std::pair<double, std::size_t>>{{0.0, 1}, {-1.0, 1}, {1.0, 2}, {3.0, 2}}) {
    SamplingParams params = beams(2, 2);
    params.length_penalty = penalty;
    const StopRule rule = rule_of(params);
    BeamSearch search(params, rule);
    run(search, model, 2);
    std::vector<Hypothesis> ended = search.best();
    std::erase_if(ended, [](const Hypothesis& found) { return !found.ended; });
    ASSERT_FALSE(ended.empty());
    EXPECT_EQ(ended[0].tokens.size(), length) << penalty;
    const double sum = length == 1 ? -1.0 : -1.5;
    EXPECT_NEAR(ended[0].score, sum / std::pow(length, penalty), 1e-5);
  }
}

// Would catch: early stopping that never does, or does too soon.
TEST(BeamSearch, StopsTheEarlierTheLessItWaitsFor) {
  int earlier = 0;
  int later = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    std::vector<int> steps;
    std::vector<double> scores;
    for (const EarlyStopping early :
         {EarlyStopping::on, EarlyStopping::off, EarlyStopping::never}) {
      SamplingParams params = beams(2, 12);
      params.early_stopping = early;
      const StopRule rule = rule_of(params);
      BeamSearch search(params, rule);
      steps.push_back(run(search, random_model(seed, 6), 2));
      scores.push_back(search.best()[0].score);
    }
    EXPECT_LE(steps[0], steps[1]);
    EXPECT_LE(steps[1], steps[2]);
    EXPECT_LE(scores[0], scores[2]);
    earlier += steps[0] < steps[1] ? 1 : 0;
    later += steps[1] < steps[2] ? 1 : 0;
  }
  EXPECT_GT(earlier, 3);
  EXPECT_GT(later, 3);
}

// Would catch: beams that end at end tokens though a trace says how long they are, results other
// than the live beams, and ending one by one with the parents of the rest confused.
TEST(BeamSearch, AForcedLengthEndsBeamsOneByOne) {
  const SamplingParams params = beams(3, 2);
  const StopRule rule(params, std::vector<Token>{0}, 10, 1000, 6);
  BeamSearch search(params, rule);
  auto histories = histories_of(3);
  const Model model = random_model(3, 5);
  const std::vector<std::size_t> lengths = {6, 2, 4};
  std::vector<Output> outputs;
  while (!search.done()) {
    ASSERT_EQ(step(search, model, histories), RowStatus::good);
    for (const std::int32_t sequence : search.live()) {
      if (search.done() || histories.at(sequence).size() < lengths.at(sequence)) continue;
      outputs.push_back(histories.at(sequence));
      search.end(sequence);
      histories.erase(sequence);
    }
  }
  outputs.push_back(histories.at(0));
  EXPECT_EQ(outputs.back().size(), 6U);
  const auto found = search.best();
  ASSERT_EQ(found.size(), 3U);
  for (const Hypothesis& hypothesis : found) {
    EXPECT_FALSE(hypothesis.ended);
    EXPECT_NE(std::find(outputs.begin(), outputs.end(), hypothesis.tokens), outputs.end());
  }
  EXPECT_THROW(search.end(1), InvariantBroken);
}

// Would catch: fewer continuations than beams (a small vocabulary) taken for a broken row, and dead
// beams that come back as results.
TEST(BeamSearch, LivesOnWithFewerThanItsWidth) {
  SamplingParams params = beams(8, 2);
  const StopRule rule = rule_of(params, {});
  BeamSearch search(params, rule);
  const Model model = random_model(1, 2);
  run(search, model, 8);
  const auto found = search.best();
  ASSERT_EQ(found.size(), 4U);
  std::set<Output> different;
  for (const Hypothesis& hypothesis : found) different.insert(hypothesis.tokens);
  EXPECT_EQ(different.size(), 4U);
}

// Would catch: a crash, or an endless search, where every token ends or none may be chosen; a
// status that leaves the search half a step further.
TEST(BeamSearch, EndsWhereNothingCanGoOn) {
  const float none = -std::numeric_limits<float>::infinity();
  SamplingParams params = beams(2, 5);
  const StopRule rule = rule_of(params);
  BeamSearch search(params, rule);
  auto histories = histories_of(2);
  const auto say = [&](std::vector<float> logits) {
    return step(
        search, [&](const Output&) { return logits; }, histories);
  };
  EXPECT_EQ(say({NAN, 0.0F}), RowStatus::not_a_number);
  EXPECT_EQ(say({none, none}), RowStatus::all_masked);
  EXPECT_FALSE(search.done());
  EXPECT_EQ(say({0.0F, none}), RowStatus::good);
  EXPECT_TRUE(search.done());
  for (const BeamMove& move : search.moves()) EXPECT_EQ(move.token, -1);
  ASSERT_EQ(search.best().size(), 1U);
  EXPECT_THAT(search.best()[0].tokens, ElementsAre(0));
  EXPECT_THROW(say({0.0F, 0.0F}), InvariantBroken);

  params.min_tokens = 1;
  const StopRule waits = rule_of(params);
  BeamSearch masked(params, waits);
  const std::vector<float> only_end = {0.0F, none};
  const std::vector<std::span<const float>> rows = {only_end};
  EXPECT_EQ(masked.step(rows), RowStatus::all_masked);
}

// Would catch: log-probabilities of other tokens than the output's, and `n` that is not kept.
TEST(BeamSearch, GivesTheLogProbabilityOfEachToken) {
  SamplingParams params = beams(4, 6);
  params.n = 2;
  const StopRule rule = rule_of(params);
  BeamSearch search(params, rule);
  const Model model = random_model(2, 7);
  run(search, model, 4);
  ASSERT_EQ(search.best().size(), 2U);
  for (const Hypothesis& found : search.best()) {
    Output so_far;
    double sum = 0.0;
    for (std::size_t i = 0; i < found.tokens.size(); ++i) {
      const auto expected = log_softmax(model(so_far));
      EXPECT_NEAR(found.logprobs[i], expected[static_cast<std::size_t>(found.tokens[i])], 1e-5);
      sum += static_cast<double>(found.logprobs[i]);
      so_far.push_back(found.tokens[i]);
    }
    EXPECT_DOUBLE_EQ(found.sum_logprob, sum);
  }
}

}  // namespace
}  // namespace tokenyard
