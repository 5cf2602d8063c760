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

class VidurRows final : public RowReader {
 public:
  explicit VidurRows(LineReader& lines, const ReadOptions&) : csv_(lines) {
    const std::vector<std::string> known = {"arrived_at", "num_prefill_tokens", "num_decode_tokens",
                                            "num_total_tokens", "pd_ratio"};
    csv_.refuse_unknown(known);
    if (!csv_.find("arrived_at") && csv_.find("num_prefill_tokens")) {
      lines.refuse("arrived_at",
                   "the file has lengths but no arrivals; `trace generate` can draw from it with "
                   "--lengths dataset:FILE");
    }
    arrived_ = csv_.require("arrived_at");
    prefill_ = csv_.require("num_prefill_tokens");
    decode_ = csv_.require("num_decode_tokens");
  }

  bool next(TraceRow& row) override {
    if (!csv_.next()) return false;
    const auto arrival_ns = parse_decimal_seconds(csv_.text(arrived_));
    if (!arrival_ns) {
      csv_.refuse(arrived_, fmt::format("'{}' is not a time in seconds (at most 100 years)",
                                        printable(csv_.text(arrived_))));
    }
    if (*arrival_ns < 0) {
      csv_.refuse(arrived_, fmt::format("{} is negative", printable(csv_.text(arrived_))));
    }
    row.arrival_ns = *arrival_ns;
    row.input_tokens = csv_.integer(prefill_, 0, kMostTokens);
    row.output_tokens = csv_.integer(decode_, 0, kMostTokens);
    return true;
  }

 private:
  CsvReader csv_;
  std::size_t arrived_ = 0, prefill_ = 0, decode_ = 0;  // columns
};

}  // namespace

const ReaderEntry kVidurReader = {"vidur", "CSV: arrived_at,num_prefill_tokens,num_decode_tokens",
                                  recognises, TraceOrigin::zero, open_rows<VidurRows>};

}  // namespace tokenyard
