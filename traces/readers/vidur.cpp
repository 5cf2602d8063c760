// The form of Vidur's processed traces (github.com/microsoft/vidur): seconds from the start, no
// ids, and sometimes two derived columns.

#include <fmt/format.h>

#include "sim/kernel/text.hpp"
#include "traces/csv.hpp"
#include "traces/readers/catalogue.hpp"
#include "traces/time_text.hpp"

namespace tokenyard {

namespace {

bool recognises(std::string_view first_line) {
  // A file of lengths alone is recognised too, so that its refusal can say what it is for.
  return header_has(first_line, {"num_prefill_tokens", "num_decode_tokens"});
}

TraceOrigin read(LineReader& lines, TraceBuilder& rows) {
  CsvReader csv(lines);
  const std::vector<std::string> known = {"arrived_at", "num_prefill_tokens", "num_decode_tokens",
                                          "num_total_tokens", "pd_ratio"};
  csv.refuse_unknown(known);
  if (!csv.find("arrived_at") && csv.find("num_prefill_tokens")) {
    lines.refuse("arrived_at",
                 "the file has lengths but no arrivals; `trace generate` can draw from it with "
                 "--lengths dataset:FILE");
  }
  const std::size_t arrived = csv.require("arrived_at");
  const std::size_t prefill = csv.require("num_prefill_tokens");
  const std::size_t decode = csv.require("num_decode_tokens");
  while (csv.next()) {
    const auto arrival_ns = parse_decimal_seconds(csv.text(arrived));
    if (!arrival_ns) {
      csv.refuse(arrived, fmt::format("'{}' is not a time in seconds (at most 100 years)",
                                      printable(csv.text(arrived))));
    }
    if (*arrival_ns < 0) {
      csv.refuse(arrived, fmt::format("{} is negative", printable(csv.text(arrived))));
    }
    TraceRow row;
    row.arrival_ns = *arrival_ns;
    row.input_tokens = csv.integer(prefill, 0, kMostTokens);
    row.output_tokens = csv.integer(decode, 0, kMostTokens);
    rows.add(row);
  }
  return TraceOrigin::zero;
}

}  // namespace

const ReaderEntry kVidurReader = {"vidur", "CSV: arrived_at,num_prefill_tokens,num_decode_tokens",
                                  recognises, read};

}  // namespace tokenyard
