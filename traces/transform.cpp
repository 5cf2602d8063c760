#include "traces/transform.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "sim/kernel/input_error.hpp"
#include "sim/kernel/text.hpp"
#include "traces/trace_builder.hpp"

namespace tokenyard {

namespace {

Duration span_of(const Trace& trace) {
  if (trace.requests.empty()) return Duration(0);
  return trace.requests.arrival(trace.requests.size() - 1) - trace.requests.arrival(0);
}

/// Multiplies all arrivals by `factor`; `at` says for a message what that makes.
void stretch(Trace& trace, double factor, const std::string& at) {
  RequestTable& requests = trace.requests;
  const double last =
      static_cast<double>((requests.arrival(requests.size() - 1) - kOrigin).count());
  if (!(last * factor <= static_cast<double>(kLongest.count()))) {
    throw InputError(
        fmt::format("at {} trace '{}' would last more than 100 years", at, trace.name));
  }
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const auto arrival = static_cast<double>((requests.arrival(i) - kOrigin).count());
    requests.set_arrival(i, kOrigin + Duration(std::llround(arrival * factor)));
  }
  settle(trace);
}

}  // namespace

std::size_t checked_limit(std::int64_t requests) {
  if (requests < 1) {
    throw InputError(fmt::format("the limit must be at least 1 request, it is {}", requests));
  }
  return static_cast<std::size_t>(requests);
}

DroppedRows beyond_limit(std::size_t requests) {
  return {"beyond the limit", static_cast<std::int64_t>(requests)};
}

void limit(Trace& trace, std::int64_t requests) {
  const std::size_t kept = checked_limit(requests);
  if (kept >= trace.requests.size()) return;
  trace.counts.dropped.push_back(beyond_limit(trace.requests.size() - kept));
  trace.requests.resize(kept);
  settle(trace);
}

double mean_rate(const Trace& trace) {
  const Duration span = span_of(trace);
  if (span <= Duration(0)) return 0;
  return static_cast<double>(trace.requests.size() - 1) / to_seconds(span);
}

void scale_to_rate(Trace& trace, double requests_per_s) {
  if (!(requests_per_s > 0) || !std::isfinite(requests_per_s)) {
    throw InputError(fmt::format("the request rate must be above 0, it is {}", requests_per_s));
  }
  const double rate = mean_rate(trace);
  if (rate == 0) {
    throw InputError(fmt::format(
        "trace '{}': no factor gives it a rate, because all its requests arrive at once",
        trace.name));
  }
  stretch(trace, rate / requests_per_s, fmt::format("{} requests/s", requests_per_s));
}

void scale_rate(Trace& trace, double factor) {
  stretch(trace, 1 / factor, fmt::format("{} times the rate", factor));
}

std::int64_t scaled_tokens(std::int64_t tokens, double factor) {
  const double scaled = static_cast<double>(tokens) * factor;
  if (!(scaled < static_cast<double>(kMostTokens))) return kMostTokens;
  return std::max<std::int64_t>(1, std::llround(scaled));
}

void scale_lengths(Trace& trace, double factor) {
  ListPool<std::int32_t> outputs;
  for (std::size_t i = 0; i < trace.requests.size(); ++i) {
    TraceRequest request = trace.requests[i];
    if (request.prompt_token_ids.count > 0) {
      throw InputError(
          fmt::format("trace '{}': request '{}' has its prompt's token ids, which "
                      "cannot be made more or fewer",
                      trace.name, printable(request.label)));
    }
    request.input_tokens = scaled_tokens(request.input_tokens, factor);
    request.output_tokens = scaled_tokens(request.output_tokens, factor);
    for (auto* tokens : {&request.max_tokens, &request.predicted_output_tokens}) {
      if (*tokens) *tokens = scaled_tokens(**tokens, factor);
    }
    std::vector<std::int64_t> samples;
    for (const std::int64_t tokens : trace.outputs.at(request.outputs)) {
      samples.push_back(scaled_tokens(tokens, factor));
    }
    request.outputs = outputs.add(std::span<const std::int64_t>(samples));
    if (request.block_hashes.count > 0) {
      const std::int64_t blocks =
          (request.input_tokens + trace.block_tokens - 1) / trace.block_tokens;
      request.block_hashes.count =
          static_cast<std::uint32_t>(std::min<std::int64_t>(request.block_hashes.count, blocks));
    }
    trace.requests.set(i, request);
  }
  trace.outputs = std::move(outputs);
  settle(trace);
}

}  // namespace tokenyard
