#include "traces/trace.hpp"

#include <fmt/format.h>

#include "traces/text_hash.hpp"

namespace tokenyard {

std::string digest_of(const Trace& trace) {
  TextHash hash;
  const auto optional = [&hash](const std::optional<std::int64_t>& value) {
    hash.word(value ? 1 : 0);
    if (value) hash.integer(*value);
  };
  const auto list = [&hash](const auto& values) {
    hash.word(values.size());
    for (const std::int64_t value : values) hash.integer(value);
  };
  hash.word(trace.requests.size());
  const RequestTable& requests = trace.requests;
  const TraceOptions none;
  RequestTable::Digits digits;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const TraceOptions* const given = requests.options(i);
    const TraceOptions& request = given != nullptr ? *given : none;
    hash.text(requests.label(i, digits));
    hash.integer((requests.arrival(i) - kOrigin).count());
    hash.integer(requests.input_tokens(i));
    hash.integer(requests.output_tokens(i));
    optional(request.max_tokens);
    optional(request.predicted_output_tokens);
    hash.integer(request.priority);
    hash.text(trace.tenants[index(requests.tenant(i))]);
    // What few requests have is told by bits of one word, so that the others cost nothing.
    const bool asks = request.n > 1 || request.best_of || request.beam_width;
    const bool lists = request.outputs.count > 0 || request.block_hashes.count > 0 ||
                       request.prompt_token_ids.count > 0;
    hash.word((request.cancel_after ? 1U : 0U) | (asks ? 2U : 0U) | (lists ? 4U : 0U));
    if (request.cancel_after) hash.integer(request.cancel_after->count());
    if (asks) {
      hash.integer(request.n);
      optional(request.best_of);
      optional(request.beam_width);
    }
    if (lists) {
      list(trace.outputs.at(request.outputs));
      list(trace.block_hashes.at(request.block_hashes));
      list(trace.prompt_token_ids.at(request.prompt_token_ids));
      if (request.block_hashes.count > 0) hash.integer(trace.block_tokens);
    }
  }
  return fmt::format("{:016x}", hash.value());
}

}  // namespace tokenyard
