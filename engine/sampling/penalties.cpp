#include "engine/sampling/penalties.hpp"

#include <algorithm>

#include "sim/kernel/invariant.hpp"

namespace tokenyard {

TokenCounts::TokenCounts(std::span<const Token> prompt) {
  std::vector<Token> tokens(prompt.begin(), prompt.end());
  std::sort(tokens.begin(), tokens.end());
  tokens.erase(std::unique(tokens.begin(), tokens.end()), tokens.end());
  entries_.reserve(tokens.size());
  for (const Token token : tokens) entries_.push_back({token, 0});
}

void TokenCounts::add_output(Token token) {
  auto at = std::lower_bound(entries_.begin(), entries_.end(), token,
                             [](const Entry& entry, Token t) { return entry.token < t; });
  if (at == entries_.end() || at->token != token) at = entries_.insert(at, {token, 0});
  ++at->in_output;
}

void apply_penalties(const SamplingParams& params, const TokenCounts& counts,
                     std::span<float> logits) {
  const auto entries = counts.entries();
  if (entries.empty()) return;
  invariant(
      entries.front().token >= 0 && static_cast<std::size_t>(entries.back().token) < logits.size(),
      "a token counted is in the vocabulary", "tokens {} to {} of {}", entries.front().token,
      entries.back().token, logits.size());
  for (const TokenCounts::Entry& entry : entries) {
    float& logit = logits[static_cast<std::size_t>(entry.token)];
    double value = static_cast<double>(logit);
    value = value > 0.0 ? value / params.repetition_penalty : value * params.repetition_penalty;
    if (entry.in_output > 0) {
      value -= params.frequency_penalty * entry.in_output + params.presence_penalty;
    }
    logit = static_cast<float>(value);
  }
}

}  // namespace tokenyard
