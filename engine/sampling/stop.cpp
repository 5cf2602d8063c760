#include "engine/sampling/stop.hpp"

#include <algorithm>

#include "sim/kernel/invariant.hpp"

namespace tokenyard {

namespace {

std::vector<Token> in_order(std::vector<Token> tokens) {
  std::sort(tokens.begin(), tokens.end());
  tokens.erase(std::unique(tokens.begin(), tokens.end()), tokens.end());
  return tokens;
}

}  // namespace

std::string_view name_of(FinishReason reason) {
  return reason == FinishReason::stop ? "stop" : "length";
}

StopRule::StopRule(const SamplingParams& params, std::span<const Token> end_tokens,
                   std::int64_t prompt_tokens, std::int64_t context,
                   std::optional<std::int64_t> forced_tokens)
    : most_tokens_(context - prompt_tokens),
      strings_(forced_tokens ? std::span<const std::string>() : params.stop) {
  invariant(prompt_tokens < context, "a prompt leaves room for a token", "{} tokens of {}",
            prompt_tokens, context);
  if (forced_tokens) {
    invariant(*forced_tokens >= 1, "an output has a token", "{} are asked for", *forced_tokens);
    most_tokens_ = std::min(most_tokens_, *forced_tokens);
    return;
  }
  most_tokens_ = std::min(most_tokens_, params.max_tokens.value_or(most_tokens_));
  min_tokens_ = params.min_tokens;
  masked_ = params.stop_token_ids;
  masked_.insert(masked_.end(), end_tokens.begin(), end_tokens.end());
  masked_ = in_order(std::move(masked_));
  ending_ = params.ignore_eos ? in_order(params.stop_token_ids) : masked_;
  for (const Token token : in_order(params.stop_token_ids)) {
    const bool is_end = std::find(end_tokens.begin(), end_tokens.end(), token) != end_tokens.end();
    if (!is_end || params.ignore_eos) stop_tokens_.push_back(token);
  }
}

bool StopRule::is_one_of(std::span<const Token> sorted, Token token) {
  return std::binary_search(sorted.begin(), sorted.end(), token);
}

std::span<const Token> StopRule::masked(std::int64_t generated) const {
  return generated < min_tokens_ ? std::span<const Token>(masked_) : std::span<const Token>();
}

std::optional<Finish> SequenceStop::add(Token token, std::string_view text, std::string& out) {
  invariant(generated_ < rule_->most_tokens_, "an ended output gets no token", "{} of {}",
            generated_, rule_->most_tokens_);
  ++generated_;
  const bool may_stop = generated_ >= rule_->min_tokens_;
  if (may_stop && rule_->ends(token)) {
    matcher_.release(out);
    Finish finish{FinishReason::stop, std::nullopt, std::nullopt};
    if (StopRule::is_one_of(rule_->stop_tokens_, token)) finish.stop_token = token;
    return finish;
  }
  if (const auto found = matcher_.add(text, may_stop, out)) {
    return Finish{FinishReason::stop, std::nullopt, *found};
  }
  if (generated_ < rule_->most_tokens_) return std::nullopt;
  matcher_.release(out);
  return Finish{FinishReason::length, std::nullopt, std::nullopt};
}

}  // namespace tokenyard
