#include "engine/generation.hpp"

#include <algorithm>
#include <utility>

#include "engine/sampling/best_of.hpp"
#include "sim/kernel/input_error.hpp"
#include "sim/kernel/invariant.hpp"

namespace tokenyard {

Generation::Generation(EngineRequest request, std::int32_t width, bool beams,
                       const ModelConfig& model, const Tokenizer* tokenizer)
    : request_(std::move(request)), tokenizer_(tokenizer) {
  request_.params.validate(model.vocabulary);
  if (tokenizer_ == nullptr && !request_.params.stop.empty()) {
    throw InputError("stop texts need a tokenizer, and the model has none");
  }
  for (const Token token : request_.prompt) {
    if (token >= 0 && token < model.vocabulary) continue;
    throw InputError(
        fmt::format("a prompt has token {}, and the vocabulary has {}", token, model.vocabulary));
  }
  rules_.reserve(static_cast<std::size_t>(width));
  for (std::int32_t i = 0; i < width; ++i) rules_.push_back(rule_of(i, model));
  if (beams) {
    request_.params.beam_width = width;
    beams_.emplace(request_.params, rules_.front());
    return;
  }
  samples_.reserve(static_cast<std::size_t>(width));
  for (std::int32_t i = 0; i < width; ++i) {
    Sample& sample = samples_.emplace_back(i, rules_[static_cast<std::size_t>(i)]);
    if (request_.params.has_penalties()) sample.counts.emplace(request_.prompt);
    if (tokenizer_ != nullptr) sample.stream.emplace(*tokenizer_, begins_text());
  }
}

/// Whether nothing but a begin token comes before the outputs.
bool Generation::begins_text() const {
  return prompt_tokens() == 1 && tokenizer_->is_special(request_.prompt.front());
}

StopRule Generation::rule_of(std::int32_t sequence, const ModelConfig& model) const {
  std::optional<std::int64_t> forced;
  const auto& lengths = request_.forced_tokens;
  if (!lengths.empty()) {
    // Beams end together, with the longest.
    forced = request_.params.beam_search()
                 ? *std::max_element(lengths.begin(), lengths.end())
                 : lengths[std::min(static_cast<std::size_t>(sequence), lengths.size() - 1)];
  }
  return StopRule(request_.params, model.end_tokens, prompt_tokens(), model.context, forced);
}

void Generation::read(std::int32_t sequence, std::int64_t first, std::span<Token> out) const {
  const auto copy = [&](std::span<const Token> tokens, std::int64_t start) {
    for (std::size_t i = 0; i < out.size(); ++i) {
      const std::int64_t at = first + static_cast<std::int64_t>(i) - start;
      if (at >= 0 && at < static_cast<std::int64_t>(tokens.size())) {
        out[i] = tokens[static_cast<std::size_t>(at)];
      }
    }
  };
  copy(request_.prompt, 0);
  if (first + static_cast<std::int64_t>(out.size()) <= prompt_tokens()) return;
  if (beams_) {
    copy(beams_->output(sequence), prompt_tokens());
  } else {
    copy(samples_[static_cast<std::size_t>(sequence)].output.tokens, prompt_tokens());
  }
}

BlockHash Generation::content(std::int64_t tokens) {
  if (request_.content_start == kNoHash || samples_.size() != 1) return kNoHash;
  invariant(tokens >= named_tokens_, "a request's content grows", "{} tokens after {}", tokens,
            named_tokens_);
  if (named_tokens_ == 0) content_ = request_.content_start;
  for (; named_tokens_ < tokens; ++named_tokens_) {
    Token token = 0;
    read(0, named_tokens_, {&token, 1});
    content_ = chain(content_, static_cast<std::uint64_t>(token));
  }
  return content_;
}

void Generation::advance(std::span<const Slot> slots, std::span<const std::span<const float>> rows,
                         Sampler& sampler, std::span<SlotOutcome> outcomes) {
  if (beams_) return advance_beams(slots, rows, outcomes);
  for (std::size_t i = 0; i < slots.size(); ++i) {
    Sample& next = samples_[static_cast<std::size_t>(slots[i].sequence)];
    outcomes[i].finished = sample(next, rows[i], sampler);
  }
}

/// The next token of one sequence. Returns whether it is its last.
bool Generation::sample(Sample& sample, std::span<const float> row, Sampler& sampler) {
  GeneratedOutput& output = sample.output;
  const std::int64_t generated = sample.stop.generated();
  const StopRule& rule = rules_[static_cast<std::size_t>(output.sequence)];
  const tokenyard::Sample chosen =
      sampler.sample({.params = request_.params,
                      .logits = row,
                      .counts = sample.counts ? &*sample.counts : nullptr,
                      .masked = rule.masked(generated),
                      .seed = request_.params.seed.value_or(request_.seed),
                      .sequence = output.sequence,
                      .position = generated});
  const bool good = chosen.status == RowStatus::good;
  const Token token = good ? chosen.token : 0;
  output.tokens.push_back(token);
  output.sum_logprob += chosen.logprob;
  if (sample.counts) sample.counts->add_output(token);
  std::string text;
  if (sample.stream) text = sample.stream->push(token);
  const auto finish = sample.stop.add(token, text, output.text);
  if (finish) output.finish = finish->reason;
  if (!good) output.finish = FinishReason::stop;
  return output.finish.has_value();
}

void Generation::advance_beams(std::span<const Slot> slots,
                               std::span<const std::span<const float>> rows,
                               std::span<SlotOutcome> outcomes) {
  const bool first = slots.front().generated == 0;
  const RowStatus status = beams_->step(first ? rows.first(1) : rows);
  const bool ends = status != RowStatus::good || beams_->done();
  const auto moves = beams_->moves();
  for (std::size_t i = 0; i < slots.size(); ++i) {
    outcomes[i].finished = ends;
    // The first tokens all come from the prompt.
    if (!first && !ends) outcomes[i].parent = moves[i].parent;
  }
}

std::string Generation::text_of(std::span<const Token> tokens) const {
  if (tokenizer_ == nullptr) return {};
  TextStream stream(*tokenizer_, begins_text());
  std::string text;
  for (const Token token : tokens) text += stream.push(token);
  return text + stream.finish();
}

std::vector<GeneratedOutput> Generation::outputs() const {
  std::vector<GeneratedOutput> outputs;
  if (beams_) {
    for (const Hypothesis& found : beams_->best()) {
      GeneratedOutput output;
      output.tokens = found.tokens;
      output.text = text_of(found.tokens);
      output.sum_logprob = found.sum_logprob;
      output.finish = found.ended ? FinishReason::stop : FinishReason::length;
      output.sequence = static_cast<std::int32_t>(outputs.size());
      outputs.push_back(std::move(output));
    }
    return outputs;
  }
  for (const Sample& sample : samples_) outputs.push_back(sample.output);
  const std::int32_t n = request_.params.n;
  if (n >= static_cast<std::int32_t>(outputs.size())) return outputs;
  std::vector<double> sums;
  for (const GeneratedOutput& output : outputs) sums.push_back(output.sum_logprob);
  std::vector<GeneratedOutput> best;
  for (const std::int32_t i : best_of(sums, n)) {
    best.push_back(std::move(outputs[static_cast<std::size_t>(i)]));
  }
  return best;
}

std::uint64_t Generation::digest() const {
  BlockHash hash{0};
  for (const GeneratedOutput& output : outputs()) {
    hash = chain(hash, output.tokens.size());
    for (const Token token : output.tokens) hash = chain(hash, static_cast<std::uint64_t>(token));
  }
  return static_cast<std::uint64_t>(hash);
}

}  // namespace tokenyard
