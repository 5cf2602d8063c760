#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/model_config.hpp"

namespace tokenyard {

/// When beam search stops although beams live on (Hugging Face's `early_stopping`). All wait for as
/// many finished hypotheses as there are beams.
enum class EarlyStopping : std::uint8_t {
  off,    ///< False: stop when the best beam, were it to end now, would be no better than the worst
  on,     ///< True: stop at once
  never,  ///< "never": stop when no beam can become better than the worst, however long it grows
};

/// How a request's tokens are chosen and when its output ends: vLLM's `SamplingParams` by name,
/// default and range, with the beam search of its `BeamSearchParams`. A value type.
struct SamplingParams {
  std::int32_t n = 1;                   ///< outputs given back
  std::optional<std::int32_t> best_of;  ///< outputs sampled, of which the `n` best are given back

  double temperature = 1.0;  ///< below 0.00001: greedy, whatever the three filters say
  std::int32_t top_k = 0;    ///< only the so many most likely tokens; 0 or -1 = all
  double top_p = 1.0;        ///< only the most likely ones that have this much probability together
  double min_p = 0.0;        ///< only those at least so likely, relative to the most likely one

  double repetition_penalty = 1.0;  ///< for tokens in the prompt or the output
  double presence_penalty = 0.0;    ///< for tokens in the output
  double frequency_penalty = 0.0;   ///< for each time that a token is in the output

  std::optional<std::uint64_t> seed;  ///< none: the run's own

  std::vector<std::string> stop;      ///< texts that end the output, not part of it
  std::vector<Token> stop_token_ids;  ///< tokens that end it, besides the model's
  bool ignore_eos = false;            ///< the model's end tokens do not end it
  std::int64_t min_tokens = 0;        ///< of the output, before anything but its length ends it
  std::optional<std::int64_t> max_tokens = 16;  ///< of the output; none: what the context leaves

  std::int32_t beam_width = 0;  ///< 0 = no beam search
  double length_penalty = 1.0;  ///< an output's score is its log-probability / length ^ this
  EarlyStopping early_stopping = EarlyStopping::off;

  /// Log-probabilities given with each token: of itself and of the so many most likely ones; -1 =
  /// of all.
  std::optional<std::int32_t> logprobs;

  /// Throws an `InputError` that names the parameter and what it may be.
  void validate(std::int32_t vocabulary) const;

  bool beam_search() const { return beam_width > 0; }
  bool greedy() const { return temperature < 1e-5; }
  bool has_penalties() const {
    return repetition_penalty != 1.0 || presence_penalty != 0.0 || frequency_penalty != 0.0;
  }
  /// Whether outputs are compared by their log-probability or it is asked for.
  bool needs_logprob() const { return logprobs.has_value() || best_of.value_or(n) > n; }
  /// Sequences decoded together, as `Request::width`.
  std::int32_t width() const { return beam_search() ? beam_width : best_of.value_or(n); }
};

}  // namespace tokenyard
