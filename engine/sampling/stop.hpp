#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/sampling/sampling_params.hpp"
#include "engine/sampling/stop_strings.hpp"

namespace tokenyard {

/// Why an output ended, as OpenAI's API and vLLM name it.
enum class FinishReason : std::uint8_t {
  stop,    ///< an end token, a stop token or a stop string
  length,  ///< `max_tokens`, the model's context, or the length asked for
};

std::string_view name_of(FinishReason reason);

/// How a sequence ended.
struct Finish {
  FinishReason reason = FinishReason::length;
  std::optional<Token> stop_token;         ///< of `stop_token_ids`, where one of those ended it
  std::optional<std::size_t> stop_string;  ///< which of `stop`, where one of those ended it
};

/// When the sequences of a request end. With a forced length (a trace's) each ends when it has
/// exactly so many tokens; end tokens are then tokens like others, neither masked nor heeded.
/// Immutable; its sequences refer to it.
class StopRule {
 public:
  /// `end_tokens` are the model's; `prompt_tokens` is less than `context`, the most tokens of both
  /// together; `forced_tokens`, where given, is at least 1.
  StopRule(const SamplingParams& params, std::span<const Token> end_tokens,
           std::int64_t prompt_tokens, std::int64_t context,
           std::optional<std::int64_t> forced_tokens = std::nullopt);

  /// Whether this token ends the output, once that has `min_tokens`.
  bool ends(Token token) const { return is_one_of(ending_, token); }
  std::span<const Token> ending_tokens() const { return ending_; }
  /// Tokens that must not be chosen when the output has `generated` tokens: below `min_tokens` the
  /// model's end tokens (also where they are ignored, as in vLLM) and `stop_token_ids`. In order.
  std::span<const Token> masked(std::int64_t generated) const;
  /// The output's greatest length.
  std::int64_t most_tokens() const { return most_tokens_; }
  /// Whether text is looked at at all.
  bool has_strings() const { return !strings_.empty(); }

 private:
  friend class SequenceStop;
  static bool is_one_of(std::span<const Token> sorted, Token token);

  std::vector<Token> ending_;       // sorted, as are the next two
  std::vector<Token> stop_tokens_;  // those that are no end tokens of the model
  std::vector<Token> masked_;
  std::int64_t min_tokens_ = 0;
  std::int64_t most_tokens_ = 0;
  StopStrings strings_;
};

/// One sequence's output, as far as its end depends on it. A value type.
class SequenceStop {
 public:
  explicit SequenceStop(const StopRule& rule) : rule_(&rule), matcher_(rule.strings_) {}

  /// Takes the next token and the text that it adds to the output (what a detokeniser gives for
  /// it: perhaps none yet). Appends to `out` what may be shown now: not the text of the token that
  /// ends the output, nor anything from a stop string on, nor what may become one. Returns how the
  /// output ended, if it did; nothing may be added then. O(text).
  std::optional<Finish> add(Token token, std::string_view text, std::string& out);

  /// Output tokens so far.
  std::int64_t generated() const { return generated_; }

 private:
  const StopRule* rule_;
  StopMatcher matcher_;
  std::int64_t generated_ = 0;
};

}  // namespace tokenyard
