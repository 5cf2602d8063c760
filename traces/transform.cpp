#include "traces/transform.hpp"

#include <fmt/format.h>

#include <cmath>

#include "sim/kernel/input_error.hpp"
#include "traces/trace_builder.hpp"

namespace tokenyard {

namespace {

Duration span_of(const Trace& trace) {
  if (trace.requests.empty()) return Duration(0);
  return trace.requests.arrival(trace.requests.size() - 1) - trace.requests.arrival(0);
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
  const double factor = rate / requests_per_s;
  RequestTable& requests = trace.requests;
  const double last =
      static_cast<double>((requests.arrival(requests.size() - 1) - kOrigin).count());
  if (!(last * factor <= static_cast<double>(kLongest.count()))) {
    throw InputError(fmt::format("at {} requests/s trace '{}' would last more than 100 years",
                                 requests_per_s, trace.name));
  }
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const auto arrival = static_cast<double>((requests.arrival(i) - kOrigin).count());
    requests.set_arrival(i, kOrigin + Duration(std::llround(arrival * factor)));
  }
  settle(trace);
}

}  // namespace tokenyard
