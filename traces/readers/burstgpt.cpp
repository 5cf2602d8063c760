// BurstGPT (github.com/HPMLL/BurstGPT, KDD 2025): seconds from midnight of the first day; failed
// requests have no tokens. Later files have two columns more, so columns go by name.

#include "traces/readers/catalogue.hpp"
#include "traces/readers/column_map.hpp"

namespace tokenyard {

namespace {

bool recognises(std::string_view first_line) {
  return header_has(first_line, {"Timestamp", "Request tokens", "Response tokens"});
}

std::unique_ptr<RowReader> open(LineReader& lines, const ReadOptions& options, Parameters&) {
  ColumnMap map;
  map.arrival = {"Timestamp", TimeUnit::seconds};
  map.input_tokens = "Request tokens";
  map.output_tokens = "Response tokens";
  map.session_id = "Session ID";
  map.model = "Model";
  return std::make_unique<MappedRows>(lines, options, map);
}

}  // namespace

const ReaderEntry kBurstGptReader = {
    "burstgpt", "CSV: Timestamp,Model,Request tokens,Response tokens,…", recognises, open};

}  // namespace tokenyard
