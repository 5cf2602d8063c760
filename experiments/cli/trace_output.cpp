#include "experiments/cli/trace_output.hpp"

#include <fmt/format.h>

#include <cstdio>

#include "sim/kernel/text.hpp"
#include "traces/transform.hpp"
#include "traces/writer.hpp"

namespace tokenyard {

namespace {

/// One line (or JSON) on what was written.
std::string description(const Trace& trace, const std::string& path, bool json) {
  double input = 0;
  double output = 0;
  for (const auto& request : trace.requests) {
    input += static_cast<double>(request.input_tokens);
    output += static_cast<double>(request.output_tokens);
  }
  const auto count = static_cast<double>(trace.requests.size());
  const RequestTable& requests = trace.requests;
  const Duration span = requests.arrival(requests.size() - 1) - requests.arrival(0);
  const double rate = mean_rate(trace);
  if (json) {
    std::int64_t dropped = 0;
    for (const auto& rows : trace.counts.dropped) dropped += rows.rows;
    return fmt::format(
        R"({{"out":{},"requests":{},"read":{},"dropped":{},"span_s":{},"request_rate":{},)"
        R"("input_tokens_mean":{},"output_tokens_mean":{},"digest":"{}"}})"
        "\n",
        json_text(path), trace.requests.size(), trace.counts.read, dropped, format_seconds(span),
        format_number(rate), format_number(input / count), format_number(output / count),
        trace.digest);
  }
  return fmt::format(
      "{}: {} requests over {:.1f} s{}, mean prompt {:.1f} and output {:.1f} tokens ({})\n", path,
      trace.requests.size(), to_seconds(span), rate > 0 ? fmt::format(" ({:.2f}/s)", rate) : "",
      input / count, output / count, counts_text(trace.counts));
}

}  // namespace

void write_and_describe(const Trace& trace, const std::string& path, const CommandLine& line,
                        const std::string& form) {
  const std::string lost = write_trace(trace, path, form);
  if (line.flag("quiet")) return;
  fmt::print("{}", description(trace, path, line.flag("json")));
  if (!lost.empty()) fmt::print(stderr, "not kept, for the form has no place for it: {}\n", lost);
}

}  // namespace tokenyard
