// The Azure LLM inference traces of 2023 and 2024 (github.com/Azure/AzurePublicDataset,
// "Splitwise", ISCA 2024): absolute timestamps in ticks of 100 ns, no ids.

#include "traces/readers/catalogue.hpp"
#include "traces/readers/column_map.hpp"

namespace tokenyard {

namespace {

bool recognises(std::string_view first_line) {
  return header_has(first_line, {"TIMESTAMP", "ContextTokens", "GeneratedTokens"});
}

std::unique_ptr<RowReader> open(LineReader& lines, const ReadOptions& options, Parameters&) {
  ColumnMap map;
  map.arrival.name = "TIMESTAMP";
  map.input_tokens = "ContextTokens";
  map.output_tokens = "GeneratedTokens";
  map.refuses_others = true;
  return std::make_unique<MappedRows>(lines, options, map);
}

}  // namespace

const ReaderEntry kAzureReader = {"azure", "CSV: TIMESTAMP,ContextTokens,GeneratedTokens",
                                  recognises, open};

}  // namespace tokenyard
