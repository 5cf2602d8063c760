#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/engine_request.hpp"
#include "engine/sampling/beam_search.hpp"
#include "engine/sampling/sampler.hpp"
#include "engine/sampling/stop.hpp"
#include "engine/text/text_stream.hpp"
#include "sim/ports/iteration.hpp"

namespace tokenyard {

/// What one sequence of a request has said.
struct GeneratedOutput {
  std::int32_t sequence = 0;
  std::vector<Token> tokens;
  std::string text;  ///< what may be shown of it so far; empty without a tokenizer
  double sum_logprob = 0.0;
  std::optional<FinishReason> finish;  ///< none: it goes on
};

/// One request in the engine: its prompt, its outputs so far, and how each next token is chosen. It
/// knows neither blocks nor batches, so what it says depends on the logits alone. Not thread-safe;
/// different requests may be advanced on different threads.
class Generation {
 public:
  /// `width` sequences, `beams` or samples. `tokenizer` may be null: then there is no text, and
  /// stop texts are refused. Throws `InputError`.
  Generation(EngineRequest request, std::int32_t width, bool beams, const ModelConfig& model,
             const Tokenizer* tokenizer);
  Generation(const Generation&) = delete;
  Generation& operator=(const Generation&) = delete;

  std::int64_t prompt_tokens() const { return static_cast<std::int64_t>(request_.prompt.size()); }

  /// Tokens [first, first + out.size()) of a sequence, the prompt included.
  void read(std::int32_t sequence, std::int64_t first, std::span<Token> out) const;

  /// The name of the first `tokens` tokens of a request that has one sequence and is named, else
  /// `kNoHash`; `tokens` must not decrease from call to call.
  BlockHash content(std::int64_t tokens);

  /// Chooses the next token of each of the request's live sequences: `slots` are all of them in
  /// order, `rows` the logits of each (all the same behind the prompt), `outcomes` are filled.
  /// A row without probabilities (NaN) ends its sequence with what it has and token 0.
  void advance(std::span<const Slot> slots, std::span<const std::span<const float>> rows,
               Sampler& sampler, std::span<SlotOutcome> outcomes);

  /// The outputs, best first where they are compared (best_of, beams), else by sequence.
  std::vector<GeneratedOutput> outputs() const;

  /// The content of all outputs in one number, for comparisons: a chained hash (block_hash.hpp) of
  /// their lengths and tokens in the order of `outputs`.
  std::uint64_t digest() const;

 private:
  struct Sample {
    Sample(std::int32_t sequence, const StopRule& rule) : stop(rule) { output.sequence = sequence; }
    GeneratedOutput output;
    SequenceStop stop;
    std::optional<TokenCounts> counts;
    std::optional<TextStream> stream;
  };

  bool begins_text() const;
  StopRule rule_of(std::int32_t sequence, const ModelConfig& model) const;
  bool sample(Sample& sample, std::span<const float> row, Sampler& sampler);
  void advance_beams(std::span<const Slot> slots, std::span<const std::span<const float>> rows,
                     std::span<SlotOutcome> outcomes);
  std::string text_of(std::span<const Token> tokens) const;

  EngineRequest request_;
  const Tokenizer* tokenizer_;
  std::vector<StopRule> rules_;  ///< one a sequence; samples and beams refer to them
  std::vector<Sample> samples_;  ///< empty with beams
  std::optional<BeamSearch> beams_;
  std::int64_t named_tokens_ = 0;  ///< that `content_` names
  BlockHash content_ = kNoHash;
};

}  // namespace tokenyard
