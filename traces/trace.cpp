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
  hash.word(trace.requests.size());
  for (const auto& request : trace.requests) {
    hash.text(request.label);
    hash.integer((request.arrival - kOrigin).count());
    hash.integer(request.input_tokens);
    hash.integer(request.output_tokens);
    optional(request.max_tokens);
    optional(request.predicted_output_tokens);
    hash.integer(request.priority);
    hash.text(trace.tenants[index(request.tenant)]);
    hash.word(request.cancel_after ? 1 : 0);
    if (request.cancel_after) hash.integer(request.cancel_after->count());
  }
  return fmt::format("{:016x}", hash.value());
}

}  // namespace tokenyard
