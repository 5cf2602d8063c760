#include "engine/sampling/sampling_params.hpp"

#include <fmt/format.h>

#include <cmath>
#include <string_view>

#include "sim/kernel/input_error.hpp"

namespace tokenyard {

namespace {

constexpr std::int32_t kSequencesMost = 16384;  // vLLM's default VLLM_MAX_N_SEQUENCES
constexpr std::size_t kStopStringsMost = 256;   // each costs time for each character
constexpr double kLengthPenaltyMost = 10.0;     // length ^ penalty stays finite and above zero

template <typename Value>
void check(bool right, std::string_view name, std::string_view expected, const Value& found) {
  if (!right) throw InputError(fmt::format("{}: expected {}, found {}", name, expected, found));
}

/// NaN is in no range.
void check_range(double value, std::string_view name, double least, double most) {
  check(value >= least && value <= most, name,
        fmt::format("a number from {:g} to {:g}", least, most), value);
}

void check_count(std::int64_t value, std::string_view name, std::int64_t least, std::int64_t most) {
  check(value >= least && value <= most, name, fmt::format("an integer from {} to {}", least, most),
        value);
}

void check_beam_search(const SamplingParams& params) {
  check_count(params.beam_width, "beam_width", 1, kSequencesMost);
  check_count(params.n, "n", 1, params.beam_width);
  check(!params.best_of, "best_of", "nothing beside beam_width", params.best_of.value_or(0));
  check(params.greedy(), "temperature", "0 with beam search", params.temperature);
  check(params.top_k <= 0, "top_k", "0 (off) with beam search", params.top_k);
  check(params.top_p >= 1.0, "top_p", "1 (off) with beam search", params.top_p);
  check(params.min_p <= 0.0, "min_p", "0 (off) with beam search", params.min_p);
  check(params.repetition_penalty == 1.0, "repetition_penalty", "1 (off) with beam search",
        params.repetition_penalty);
  check(params.presence_penalty == 0.0, "presence_penalty", "0 (off) with beam search",
        params.presence_penalty);
  check(params.frequency_penalty == 0.0, "frequency_penalty", "0 (off) with beam search",
        params.frequency_penalty);
  check(params.stop.empty(), "stop", "no strings with beam search", params.stop.size());
  check_range(params.length_penalty, "length_penalty", -kLengthPenaltyMost, kLengthPenaltyMost);
}

void check_sampling(const SamplingParams& params) {
  check_count(params.n, "n", 1, kSequencesMost);
  check_count(params.best_of.value_or(params.n), "best_of", params.n, kSequencesMost);
  if (params.greedy()) {
    check(params.n == 1, "n", "1 at temperature 0", params.n);
    check(params.best_of.value_or(1) == 1, "best_of", "1 at temperature 0", *params.best_of);
  }
  check(params.length_penalty == 1.0, "length_penalty", "1 (off) without beam search",
        params.length_penalty);
  check(params.early_stopping == EarlyStopping::off, "early_stopping",
        "false (off) without beam search", "another value");
}

}  // namespace

void SamplingParams::validate(std::int32_t vocabulary) const {
  check_range(temperature, "temperature", 0.0, 2.0);
  check(top_k >= -1, "top_k", "0 (off) or an integer of at least 1", top_k);
  check(top_p > 0.0 && top_p <= 1.0, "top_p", "a number above 0 and up to 1", top_p);
  check_range(min_p, "min_p", 0.0, 1.0);
  check(repetition_penalty > 0.0 && std::isfinite(repetition_penalty), "repetition_penalty",
        "a finite number above 0", repetition_penalty);
  check_range(presence_penalty, "presence_penalty", -2.0, 2.0);
  check_range(frequency_penalty, "frequency_penalty", -2.0, 2.0);
  check(stop.size() <= kStopStringsMost, "stop",
        fmt::format("at most {} strings", kStopStringsMost), stop.size());
  for (const std::string& text : stop) {
    check(!text.empty(), "stop", "strings of at least one character", "an empty one");
  }
  for (const Token token : stop_token_ids) {
    check(token >= 0 && token < vocabulary, "stop_token_ids",
          fmt::format("tokens from 0 to {}", vocabulary - 1), token);
  }
  check(min_tokens >= 0, "min_tokens", "an integer of at least 0", min_tokens);
  if (max_tokens) {
    check(*max_tokens >= 1, "max_tokens", "an integer of at least 1", *max_tokens);
    check(min_tokens <= *max_tokens, "min_tokens",
          fmt::format("at most the {} of max_tokens", *max_tokens), min_tokens);
  }
  check(logprobs.value_or(0) >= -1, "logprobs", "-1 (all) or an integer of at least 0",
        logprobs.value_or(0));
  check(beam_width >= 0, "beam_width", "0 (off) or an integer of at least 1", beam_width);
  if (beam_search()) {
    check_beam_search(*this);
  } else {
    check_sampling(*this);
  }
}

}  // namespace tokenyard
