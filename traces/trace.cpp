#include "traces/trace.hpp"

#include <fmt/format.h>

namespace tokenyard {

void TraceDigest::add(const Trace& part, std::span<const std::string> tenants) {
  TextHash hash = hash_;  // a local one stays in a register
  const auto optional = [&hash](const std::optional<std::int64_t>& value) {
    hash.word(value ? 1 : 0);
    if (value) hash.integer(*value);
  };
  const auto list = [&hash](const auto& values) {
    hash.word(values.size());
    for (const std::int64_t value : values) hash.integer(value);
  };
  const RequestTable& requests = part.requests;
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
    hash.text(tenants[index(requests.tenant(i))]);
    // What few requests have is told by bits of one word, so that the others cost nothing.
    const bool asks = request.n > 1 || request.best_of || request.beam_width;
    const bool lists = request.outputs.count > 0 || request.block_hashes.count > 0 ||
                       request.prompt_token_ids.count > 0;
    const bool waits = request.parents.count > 0;
    hash.word((request.cancel_after ? 1U : 0U) | (asks ? 2U : 0U) | (lists ? 4U : 0U) |
              (waits ? 8U : 0U) | (request.session > 0 ? 16U : 0U));
    if (request.cancel_after) hash.integer(request.cancel_after->count());
    if (asks) {
      hash.integer(request.n);
      optional(request.best_of);
      optional(request.beam_width);
    }
    if (lists) {
      list(part.outputs.at(request.outputs));
      list(part.block_hashes.at(request.block_hashes));
      list(part.prompt_token_ids.at(request.prompt_token_ids));
      if (request.block_hashes.count > 0) hash.integer(part.block_tokens);
    }
    if (waits) {
      list(part.parents.at(request.parents));
      hash.integer(request.delay.count());
    }
    if (request.session > 0) hash.word(request.session);
  }
  hash_ = hash;
}

std::string TraceDigest::text() const {
  return fmt::format("{:016x}", hash_.value());
}

std::string counts_text(const TraceCounts& counts) {
  std::string text = fmt::format("{} rows read", counts.read);
  for (const auto& dropped : counts.dropped) {
    text += fmt::format(", {} dropped ({})", dropped.rows, dropped.reason);
  }
  if (counts.clamped > 0) text += fmt::format(", {} clamped to one token", counts.clamped);
  if (counts.unsorted > 0) text += fmt::format(", {} out of order (sorted)", counts.unsorted);
  return text;
}

std::string digest_of(const Trace& trace) {
  TraceDigest digest(trace.requests.size());
  digest.add(trace, trace.tenants);
  return digest.text();
}

}  // namespace tokenyard
