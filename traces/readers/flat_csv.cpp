// The canonical fields as a flat CSV; an empty field means that the request has none.

#include <limits>

#include "traces/csv.hpp"
#include "traces/readers/catalogue.hpp"

namespace tokenyard {

namespace {

constexpr std::string_view kListRefused = "a list is read from JSON Lines only, not from CSV";

bool recognises(std::string_view first_line) {
  return header_has(first_line, {"arrival_ns", "input_tokens", "output_tokens"});
}

std::vector<std::string> known_columns() {
  std::vector<std::string> known = {"id",
                                    "arrival_ns",
                                    "input_tokens",
                                    "output_tokens",
                                    "max_tokens",
                                    "priority",
                                    "parents",
                                    "tenant",
                                    "n",
                                    "best_of",
                                    "beam_width",
                                    "block_hashes",
                                    "prompt_token_ids",
                                    "cancel_after_ns",
                                    "delay_ns",
                                    "predicted_output_tokens"};
  for (const auto& name : ignored_fields()) known.push_back(name);
  return known;
}

/// A row's optional field.
class Cell {
 public:
  Cell(const CsvReader& csv, std::string_view column) : csv_(csv), at_(csv.find(column)) {}

  bool given() const { return at_ && !csv_.text(*at_).empty(); }
  std::size_t column() const { return *at_; }
  std::string_view text() const { return given() ? csv_.text(*at_) : std::string_view(); }
  std::optional<std::int64_t> integer(std::int64_t least, std::int64_t most) const {
    if (!given()) return std::nullopt;
    return csv_.integer(*at_, least, most);
  }
  std::optional<std::int32_t> sequences() const {
    const auto value = integer(1, kMostSequences);
    return value ? std::optional(static_cast<std::int32_t>(*value)) : std::nullopt;
  }

 private:
  const CsvReader& csv_;
  std::optional<std::size_t> at_;
};

TraceOrigin read(LineReader& lines, TraceBuilder& rows) {
  CsvReader csv(lines);
  csv.refuse_unknown(known_columns());
  const std::size_t arrival = csv.require("arrival_ns");
  const std::size_t input = csv.require("input_tokens");
  const std::size_t output = csv.require("output_tokens");
  const auto id = csv.find("id");
  const Cell max_tokens(csv, "max_tokens"), predicted(csv, "predicted_output_tokens");
  const Cell priority(csv, "priority"), tenant(csv, "tenant"), cancel(csv, "cancel_after_ns");
  const Cell parents(csv, "parents"), delay(csv, "delay_ns");
  const Cell n(csv, "n"), best_of(csv, "best_of"), beam_width(csv, "beam_width");
  const Cell block_hashes(csv, "block_hashes"), token_ids(csv, "prompt_token_ids");

  while (csv.next()) {
    for (const Cell& cell : {parents, delay}) {
      if (cell.given()) csv.refuse(cell.column(), kParentsRefused);
    }
    for (const Cell& cell : {block_hashes, token_ids}) {
      if (cell.given()) csv.refuse(cell.column(), kListRefused);
    }
    if (csv.text(output).starts_with('[')) csv.refuse(output, kListRefused);
    TraceRow row;
    if (id) row.label = csv.text(*id);
    row.arrival_ns = csv.integer(arrival, 0, kLongest.count());
    row.input_tokens = csv.integer(input, 0, kMostTokens);
    row.output_tokens = csv.integer(output, 0, kMostTokens);
    row.max_tokens = max_tokens.integer(1, kMostTokens);
    row.predicted_output_tokens = predicted.integer(1, kMostTokens);
    row.priority = static_cast<std::int32_t>(
        priority.integer(std::numeric_limits<std::int32_t>::min(), kMostTokens).value_or(0));
    row.tenant = tenant.text();
    if (const auto after = cancel.integer(1, kLongest.count())) row.cancel_after = Duration(*after);
    row.n = n.sequences().value_or(1);
    row.best_of = best_of.sequences();
    row.beam_width = beam_width.sequences();
    rows.add(row);
  }
  return TraceOrigin::zero;
}

}  // namespace

const ReaderEntry kFlatCsvReader = {
    "csv", "CSV: id,arrival_ns,input_tokens,output_tokens and the optional canonical names",
    recognises, read};

}  // namespace tokenyard
