#pragma once
// CSV files with a request a row, told apart by the names of their columns alone.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/ports/parameters.hpp"
#include "traces/csv.hpp"
#include "traces/reader.hpp"
#include "traces/readers/details.hpp"
#include "traces/time_text.hpp"

namespace tokenyard {

/// How a column tells when a request came.
struct ArrivalColumn {
  std::string name;  ///< "": all arrive at once
  /// Nothing: timestamps ("2023-11-16 18:15:46.6805900").
  std::optional<TimeUnit> unit;
  bool from_zero = false;  ///< counts from the trace's origin, so that it is never negative
};

/// Which column is what; "" where there is none. A value type.
struct ColumnMap {
  ArrivalColumn arrival;
  std::string input_tokens, output_tokens;
  std::string id, tenant, max_tokens, predicted_output_tokens, priority;
  std::string session_id, model, status;  ///< kept as texts
  std::vector<std::string> ignored;       ///< follow from the others, and are not kept
  bool all_there = false;       ///< every column named here must be in the header, not three alone
  bool refuses_others = false;  ///< a column that is not named here is an error

  /// The columns that the map names.
  std::vector<std::string> names() const;
};

/// The map that `csv:arrival=ts,unit=ms,input_tokens=in,output_tokens=out,…` tells. Throws
/// `InputError` where one of these four is missing.
ColumnMap read_column_map(Parameters& parameters);

/// Reads rows by a map. Columns that it does not name are kept in `ext`.
class MappedRows final : public RowReader {
 public:
  /// Reads the header. Refers to `lines`.
  MappedRows(LineReader& lines, const ReadOptions& options, const ColumnMap& map);

  bool next(TraceRow& row) override;
  TraceOrigin origin() const override {
    return arrival_.from_zero ? TraceOrigin::zero : TraceOrigin::earliest_row;
  }

 private:
  using Column = std::optional<std::size_t>;

  Column find(const std::string& name) const;
  std::string_view text(const Column& column) const;
  std::optional<std::int64_t> integer(const Column& column, std::int64_t least) const;
  void keep_details(TraceRow& row);

  CsvReader csv_;
  const ArrivalColumn arrival_;
  const bool all_there_;
  const bool keeps_details_;
  std::size_t input_, output_;
  Column arrival_at_, id_, tenant_, max_tokens_, predicted_, priority_, session_, model_, status_;
  ExtColumns ext_;
  MemberText details_;
};

}  // namespace tokenyard
