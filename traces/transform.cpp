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

/// Refuses a factor; `at` says for a message what it makes.
void check_stretch(const std::string& name, Time last, double factor, const std::string& at) {
  const auto longest = static_cast<double>(kLongest.count());
  if (static_cast<double>((last - kOrigin).count()) * factor <= longest) return;
  throw InputError(fmt::format("at {} trace '{}' would last more than 100 years", at, name));
}

void stretch(Trace& trace, double factor) {
  RequestTable& requests = trace.requests;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    requests.set_arrival(i, stretched(requests.arrival(i), factor));
  }
  settle(trace);
}

double rate_of(std::size_t requests, Duration span) {
  if (span <= Duration(0)) return 0;
  return static_cast<double>(requests - 1) / to_seconds(span);
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
  return rate_of(trace.requests.size(), span_of(trace));
}

Time stretched(Time arrival, double factor) {
  const auto before = static_cast<double>((arrival - kOrigin).count());
  return kOrigin + Duration(std::llround(before * factor));
}

double stretch_to_rate(const std::string& name, std::size_t requests, Time first, Time last,
                       double requests_per_s) {
  if (!(requests_per_s > 0) || !std::isfinite(requests_per_s)) {
    throw InputError(fmt::format("the request rate must be above 0, it is {}", requests_per_s));
  }
  const double rate = rate_of(requests, last - first);
  if (rate == 0) {
    throw InputError(fmt::format(
        "trace '{}': no factor gives it a rate, because all its requests arrive at once", name));
  }
  const double factor = rate / requests_per_s;
  check_stretch(name, last, factor, fmt::format("{} requests/s", requests_per_s));
  return factor;
}

void scale_to_rate(Trace& trace, double requests_per_s) {
  const RequestTable& requests = trace.requests;
  stretch(trace, stretch_to_rate(trace.name, requests.size(), requests.arrival(0),
                                 requests.arrival(requests.size() - 1), requests_per_s));
}

void scale_rate(Trace& trace, double factor) {
  check_stretch(trace.name, trace.requests.arrival(trace.requests.size() - 1), 1 / factor,
                fmt::format("{} times the rate", factor));
  stretch(trace, 1 / factor);
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
