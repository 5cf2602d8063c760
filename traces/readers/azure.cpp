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

class AzureRows final : public RowReader {
 public:
  explicit AzureRows(LineReader& lines, const ReadOptions&) : csv_(lines) {
    const std::vector<std::string> known = {"TIMESTAMP", "ContextTokens", "GeneratedTokens"};
    csv_.refuse_unknown(known);
    timestamp_ = csv_.require("TIMESTAMP");
    context_ = csv_.require("ContextTokens");
    generated_ = csv_.require("GeneratedTokens");
  }

  bool next(TraceRow& row) override {
    if (!csv_.next()) return false;
    const auto arrival_ns = parse_timestamp(csv_.text(timestamp_));
    if (!arrival_ns) {
      csv_.refuse(timestamp_, fmt::format("'{}' is not a time like '2023-11-16 18:15:46.6805900'",
                                          printable(csv_.text(timestamp_))));
    }
    row.arrival_ns = *arrival_ns;
    row.input_tokens = csv_.integer(context_, 0, kMostTokens);
    row.output_tokens = csv_.integer(generated_, 0, kMostTokens);
    return true;
  }

 private:
  CsvReader csv_;
  std::size_t timestamp_ = 0, context_ = 0, generated_ = 0;  // columns
};

}  // namespace

const ReaderEntry kAzureReader = {"azure", "CSV: TIMESTAMP,ContextTokens,GeneratedTokens",
                                  recognises, TraceOrigin::earliest_row, open_rows<AzureRows>};

}  // namespace tokenyard
