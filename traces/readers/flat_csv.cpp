// The canonical fields as a flat CSV, where an empty field means that the request has none; or any
// CSV whose columns the user names.

#include <limits>
#include <string>
#include <vector>

#include "sim/kernel/strict_json.hpp"
#include "traces/csv.hpp"
#include "traces/readers/catalogue.hpp"
#include "traces/readers/column_map.hpp"
#include "traces/writer.hpp"

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
  for (const auto& name : detail_fields()) known.push_back(name);
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

class FlatCsvRows final : public RowReader {
 public:
  FlatCsvRows(LineReader& lines, const ReadOptions& options)
      : lines_(lines), csv_(lines), keeps_details_(options.details) {
    csv_.refuse_unknown(known_columns());
    arrival_ = csv_.require("arrival_ns");
    input_ = csv_.require("input_tokens");
    output_ = csv_.require("output_tokens");
  }

  bool next(TraceRow& row) override {
    if (!csv_.next()) return false;
    for (const Cell& cell : {block_hashes_, token_ids_, parents_}) {
      if (cell.given()) csv_.refuse(cell.column(), kListRefused);
    }
    if (csv_.text(output_).starts_with('[')) csv_.refuse(output_, kListRefused);
    if (id_) row.label = csv_.text(*id_);
    row.arrival_ns = csv_.integer(arrival_, 0, kLongest.count());
    row.input_tokens = csv_.integer(input_, 0, kMostTokens);
    row.output_tokens = csv_.integer(output_, 0, kMostTokens);
    row.max_tokens = max_tokens_.integer(1, kMostTokens);
    row.predicted_output_tokens = predicted_.integer(1, kMostTokens);
    row.priority = static_cast<std::int32_t>(
        priority_.integer(std::numeric_limits<std::int32_t>::min(), kMostTokens).value_or(0));
    row.tenant = tenant_.text();
    if (const auto after = cancel_.integer(1, kLongest.count())) {
      row.cancel_after = Duration(*after);
    }
    row.n = n_.sequences().value_or(1);
    row.best_of = best_of_.sequences();
    row.beam_width = beam_width_.sequences();
    if (delay_.given()) csv_.refuse(delay_.column(), "is for requests with parents");
    row.session = session_.text();
    details_ = details_text();
    if (keeps_details_) row.details = details_;
    return true;
  }

 private:
  /// The fields that describe a request, as the canonical form has them.
  std::string details_text() const {
    std::string text;
    for (std::size_t i = 0; i < detail_cells_.size(); ++i) {
      const Cell& cell = detail_cells_[i];
      if (!cell.given()) continue;
      const std::string& name = detail_fields()[i];
      std::string value = json_text(cell.text());
      if (name == "turn") value = std::to_string(*cell.integer(0, kMostTokens));
      if (name == "deadline_ns") value = std::to_string(*cell.integer(0, kLongest.count()));
      if (name == "slo" || name == "ext") {
        value = JsonFile::parse(cell.text(), lines_.path(), lines_.number()).raw();
      }
      text += (text.empty() ? "\"" : ",\"") + name + "\":" + value;
    }
    return text;
  }

  std::vector<Cell> cells_of(std::span<const std::string> columns) const {
    std::vector<Cell> cells;
    for (const std::string& column : columns) cells.emplace_back(csv_, column);
    return cells;
  }

  LineReader& lines_;
  CsvReader csv_;
  const bool keeps_details_;
  std::string details_;
  const std::vector<Cell> detail_cells_ = cells_of(detail_fields());
  std::size_t arrival_ = 0, input_ = 0, output_ = 0;  // columns
  std::optional<std::size_t> id_ = csv_.find("id");
  Cell max_tokens_{csv_, "max_tokens"}, predicted_{csv_, "predicted_output_tokens"};
  Cell priority_{csv_, "priority"}, tenant_{csv_, "tenant"}, cancel_{csv_, "cancel_after_ns"};
  Cell session_{csv_, "session_id"}, parents_{csv_, "parents"}, delay_{csv_, "delay_ns"};
  Cell n_{csv_, "n"}, best_of_{csv_, "best_of"}, beam_width_{csv_, "beam_width"};
  Cell block_hashes_{csv_, "block_hashes"}, token_ids_{csv_, "prompt_token_ids"};
};

std::unique_ptr<RowReader> open(LineReader& lines, const ReadOptions& options,
                                Parameters& parameters) {
  const bool mapped = options.format.find(':') != std::string::npos;
  if (!mapped) return std::make_unique<FlatCsvRows>(lines, options);
  const ColumnMap map = read_column_map(parameters);
  parameters.refuse_unread();
  return std::make_unique<MappedRows>(lines, options, map);
}

}  // namespace

const ReaderEntry kFlatCsvReader = {
    "csv", "CSV: id,arrival_ns,input_tokens,output_tokens and the optional canonical names",
    recognises, open};

}  // namespace tokenyard
