// The Azure LLM inference trace of 2023 (github.com/Azure/AzurePublicDataset, "Splitwise", ISCA
// 2024): absolute timestamps in ticks of 100 ns, no ids.

#include <fmt/format.h>

#include "sim/kernel/text.hpp"
#include "traces/csv.hpp"
#include "traces/readers/catalogue.hpp"
#include "traces/time_text.hpp"

namespace tokenyard {

namespace {

bool recognises(std::string_view first_line) {
  return header_has(first_line, {"TIMESTAMP", "ContextTokens", "GeneratedTokens"});
}

TraceOrigin read(LineReader& lines, TraceBuilder& rows) {
  CsvReader csv(lines);
  const std::vector<std::string> known = {"TIMESTAMP", "ContextTokens", "GeneratedTokens"};
  csv.refuse_unknown(known);
  const std::size_t timestamp = csv.require("TIMESTAMP");
  const std::size_t context = csv.require("ContextTokens");
  const std::size_t generated = csv.require("GeneratedTokens");
  while (csv.next()) {
    const auto arrival_ns = parse_timestamp(csv.text(timestamp));
    if (!arrival_ns) {
      csv.refuse(timestamp, fmt::format("'{}' is not a time like '2023-11-16 18:15:46.6805900'",
                                        printable(csv.text(timestamp))));
    }
    TraceRow row;
    row.arrival_ns = *arrival_ns;
    row.input_tokens = csv.integer(context, 0, kMostTokens);
    row.output_tokens = csv.integer(generated, 0, kMostTokens);
    rows.add(row);
  }
  return TraceOrigin::earliest_row;
}

}  // namespace

const ReaderEntry kAzureReader = {"azure", "CSV: TIMESTAMP,ContextTokens,GeneratedTokens",
                                  recognises, read};

}  // namespace tokenyard
