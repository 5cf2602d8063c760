#include "engine/sampling/sampling_params.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "sim/kernel/input_error.hpp"

namespace tokenyard {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

using Change = std::function<void(SamplingParams&)>;

std::string refusal(const Change& change, SamplingParams params = {}) {
  change(params);
  try {
    params.validate(100);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

SamplingParams beams(std::int32_t width = 4) {
  SamplingParams params;
  params.temperature = 0.0;
  params.beam_width = width;
  return params;
}

// Would catch: defaults that are refused, or that are not vLLM's.
TEST(SamplingParams, DefaultsAreValid) {
  const SamplingParams params;
  EXPECT_NO_THROW(params.validate(1));
  EXPECT_EQ(params.temperature, 1.0);
  EXPECT_EQ(params.top_p, 1.0);
  EXPECT_EQ(params.max_tokens, 16);
  EXPECT_FALSE(params.greedy() || params.has_penalties() || params.needs_logprob());
  EXPECT_EQ(params.width(), 1);
}

// Would catch: a parameter that is not looked at, NaN that passes a comparison, a range that is
// open at the wrong end, a message that names another parameter.
TEST(SamplingParams, RefusesEachValueOutOfRange) {
  const std::vector<std::pair<std::string, Change>> cases = {
      {"temperature", [](auto& p) { p.temperature = -0.1; }},
      {"temperature", [](auto& p) { p.temperature = 2.1; }},
      {"temperature", [](auto& p) { p.temperature = kNan; }},
      {"top_k", [](auto& p) { p.top_k = -2; }},
      {"top_p", [](auto& p) { p.top_p = 0.0; }},
      {"top_p", [](auto& p) { p.top_p = 1.01; }},
      {"top_p", [](auto& p) { p.top_p = kNan; }},
      {"min_p", [](auto& p) { p.min_p = -0.01; }},
      {"min_p", [](auto& p) { p.min_p = kNan; }},
      {"repetition_penalty", [](auto& p) { p.repetition_penalty = 0.0; }},
      {"repetition_penalty", [](auto& p) { p.repetition_penalty = kInfinity; }},
      {"repetition_penalty", [](auto& p) { p.repetition_penalty = kNan; }},
      {"presence_penalty", [](auto& p) { p.presence_penalty = 2.1; }},
      {"frequency_penalty", [](auto& p) { p.frequency_penalty = -kInfinity; }},
      {"stop",
       [](auto& p) {
         p.stop = {"a", ""};
       }},
      {"stop", [](auto& p) { p.stop.assign(257, "x"); }},
      {"stop_token_ids",
       [](auto& p) {
         p.stop_token_ids = {3, 100};
       }},
      {"stop_token_ids", [](auto& p) { p.stop_token_ids = {-1}; }},
      {"min_tokens", [](auto& p) { p.min_tokens = -1; }},
      {"min_tokens", [](auto& p) { p.min_tokens = 17; }},
      {"max_tokens", [](auto& p) { p.max_tokens = 0; }},
      {"n", [](auto& p) { p.n = 0; }},
      {"n", [](auto& p) { p.n = 16385; }},
      {"n", [](auto& p) { p.n = 2, p.temperature = 0.0; }},
      {"best_of", [](auto& p) { p.n = 3, p.best_of = 2; }},
      {"best_of", [](auto& p) { p.best_of = 16385; }},
      {"best_of", [](auto& p) { p.best_of = 2, p.temperature = 1e-6; }},
      {"logprobs", [](auto& p) { p.logprobs = -2; }},
      {"beam_width", [](auto& p) { p.beam_width = -1; }},
      {"length_penalty", [](auto& p) { p.length_penalty = 1.1; }},
      {"early_stopping", [](auto& p) { p.early_stopping = EarlyStopping::never; }},
  };
  for (const auto& [name, change] : cases) {
    const std::string message = refusal(change);
    EXPECT_THAT(message, StartsWith(name + ": expected ")) << name;
    EXPECT_THAT(message, HasSubstr(", found "));
    EXPECT_THAT(message, Not(HasSubstr("\n")));
  }
  EXPECT_EQ(refusal([](auto& p) { p.temperature = 2.1; }),
            "temperature: expected a number from 0 to 2, found 2.1");
}

// Would catch: settings that beam search would leave without effect, and a score that overflows.
TEST(SamplingParams, RefusesWhatBeamSearchCannotDo) {
  const std::vector<std::pair<std::string, Change>> cases = {
      {"temperature", [](auto& p) { p.temperature = 0.5; }},
      {"top_k", [](auto& p) { p.top_k = 5; }},
      {"top_p", [](auto& p) { p.top_p = 0.5; }},
      {"min_p", [](auto& p) { p.min_p = 0.5; }},
      {"repetition_penalty", [](auto& p) { p.repetition_penalty = 1.1; }},
      {"presence_penalty", [](auto& p) { p.presence_penalty = 1.0; }},
      {"frequency_penalty", [](auto& p) { p.frequency_penalty = 1.0; }},
      {"stop", [](auto& p) { p.stop = {"."}; }},
      {"n", [](auto& p) { p.n = 5; }},
      {"best_of", [](auto& p) { p.best_of = 4; }},
      {"beam_width", [](auto& p) { p.beam_width = 16385; }},
      {"length_penalty", [](auto& p) { p.length_penalty = 11.0; }},
      {"length_penalty", [](auto& p) { p.length_penalty = kNan; }},
  };
  for (const auto& [name, change] : cases) {
    EXPECT_THAT(refusal(change, beams()), StartsWith(name + ": expected ")) << name;
  }
  EXPECT_EQ(refusal([](auto& p) { p.n = 4, p.length_penalty = -2.0; }, beams()), "");
}

// Would catch: values at the ends of the ranges that are refused.
TEST(SamplingParams, AcceptsTheEndsOfTheRanges) {
  for (const Change& change : std::vector<Change>{
           [](auto& p) { p.temperature = 0.0, p.top_k = -1, p.best_of = 1; },
           [](auto& p) { p.temperature = 2.0, p.top_p = 5e-324, p.min_p = 1.0; },
           [](auto& p) { p.presence_penalty = -2.0, p.frequency_penalty = 2.0; },
           [](auto& p) {
             p.min_tokens = 16, p.logprobs = -1, p.stop_token_ids = {0, 99, 0};
           },
           [](auto& p) { p.max_tokens.reset(), p.min_tokens = 1'000'000; },
           [](auto& p) { p.n = 16384, p.top_k = std::numeric_limits<std::int32_t>::max(); }}) {
    EXPECT_EQ(refusal(change), "");
  }
}

// Would catch: a number of sequences that is not what the server plans with, and log-probabilities
// left out where outputs are compared by them.
TEST(SamplingParams, SaysWhatItNeeds) {
  SamplingParams params;
  params.n = 2;
  EXPECT_EQ(params.width(), 2);
  EXPECT_FALSE(params.needs_logprob());
  params.best_of = 5;
  EXPECT_EQ(params.width(), 5);
  EXPECT_TRUE(params.needs_logprob());
  EXPECT_EQ(beams(3).width(), 3);
  params = {};
  params.logprobs = 0;
  EXPECT_TRUE(params.needs_logprob());
}

}  // namespace
}  // namespace tokenyard
