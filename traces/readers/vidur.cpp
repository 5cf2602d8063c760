// The form of Vidur's processed traces (github.com/microsoft/vidur): seconds from the start, no
// ids, and sometimes two derived columns.

#include "traces/readers/catalogue.hpp"
#include "traces/readers/column_map.hpp"

namespace tokenyard {

namespace {

bool recognises(std::string_view first_line) {
  // A file of lengths alone is recognised too, so that its refusal can say what it is for.
  return header_has(first_line, {"num_prefill_tokens", "num_decode_tokens"});
}

std::unique_ptr<RowReader> open(LineReader& lines, const ReadOptions& options, Parameters&) {
  ColumnMap map;
  map.arrival = {"arrived_at", TimeUnit::seconds, true};
  map.input_tokens = "num_prefill_tokens";
  map.output_tokens = "num_decode_tokens";
  map.ignored = {"num_total_tokens", "pd_ratio"};
  map.refuses_others = true;
  const std::string_view header = lines.peek().value_or("");
  if (recognises(header) && !header_has(header, {"arrived_at"})) {
    if (options.lengths_only) {
      map.arrival.name.clear();
      return std::make_unique<MappedRows>(lines, options, map);
    }
    lines.refuse("arrived_at",
                 "the file has lengths but no arrivals; `trace generate` can draw from it with "
                 "--lengths dataset:FILE");
  }
  return std::make_unique<MappedRows>(lines, options, map);
}

}  // namespace

const ReaderEntry kVidurReader = {"vidur", "CSV: arrived_at,num_prefill_tokens,num_decode_tokens",
                                  recognises, open};

}  // namespace tokenyard
