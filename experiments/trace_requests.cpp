#include "experiments/trace_requests.hpp"

#include <algorithm>

#include "sim/kernel/rng.hpp"

namespace tokenyard {

namespace {

/// Evenly from the vocabulary; the tiny bias of the remainder is below 2^-32.
Token draw(Rng& rng, std::int32_t vocabulary) {
  return static_cast<Token>(rng() % static_cast<std::uint64_t>(vocabulary));
}

}  // namespace

EngineRequest TraceRequests::request(RequestId id) {
  const TraceView::Place place = trace_.place(index(id));
  const TraceRequest from = place.table()[place.at];
  EngineRequest request;
  request.seed = named_stream(seed_, "sampler", index(id))();
  request.params.temperature = 1.0;
  request.params.max_tokens = from.max_tokens;
  request.params.ignore_eos = true;
  request.params.n = from.width();
  const auto ids = place.trace->prompt_token_ids.at(from.prompt_token_ids);
  if (ids.empty()) {
    draw_prompt(place, id, request.prompt);
  } else {
    request.prompt.assign(ids.begin(), ids.end());
  }
  const auto outputs = place.trace->outputs.at(from.outputs);
  request.forced_tokens.assign(outputs.begin(), outputs.end());
  if (outputs.empty()) {
    request.forced_tokens.assign(static_cast<std::size_t>(from.width()), from.output_tokens);
  }
  return request;
}

void TraceRequests::draw_prompt(const TraceView::Place& place, RequestId id,
                                std::vector<Token>& prompt) const {
  const TraceRequest from = place.table()[place.at];
  prompt.reserve(static_cast<std::size_t>(from.input_tokens));
  BlockHash content = chain_of(from.tenant);
  for (const std::int64_t name : place.trace->block_hashes.at(from.block_hashes)) {
    content = chain(content, static_cast<std::uint64_t>(name));
    Rng rng = named_stream(seed_, "prompt block", static_cast<std::uint64_t>(content));
    const std::int64_t left = from.input_tokens - static_cast<std::int64_t>(prompt.size());
    const std::int64_t tokens = std::min(place.trace->block_tokens, left);
    for (std::int64_t i = 0; i < tokens; ++i) prompt.push_back(draw(rng, vocabulary_));
  }
  Rng rng = named_stream(seed_, "prompt", index(id));
  while (static_cast<std::int64_t>(prompt.size()) < from.input_tokens) {
    prompt.push_back(draw(rng, vocabulary_));
  }
}

}  // namespace tokenyard
