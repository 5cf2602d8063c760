// BurstGPT (github.com/HPMLL/BurstGPT, KDD 2025): seconds from midnight of the first day; failed
// requests have no tokens. Later files have two columns more, so columns go by name.

#include <fmt/format.h>

#include "sim/kernel/text.hpp"
#include "traces/csv.hpp"
#include "traces/readers/catalogue.hpp"
#include "traces/readers/details.hpp"
#include "traces/time_text.hpp"

namespace tokenyard {

namespace {

bool recognises(std::string_view first_line) {
  return header_has(first_line, {"Timestamp", "Request tokens", "Response tokens"});
}

class BurstGptRows final : public RowReader {
 public:
  BurstGptRows(LineReader& lines, const ReadOptions& options)
      : csv_(lines), keeps_details_(options.details) {
    timestamp_ = csv_.require("Timestamp");
    request_ = csv_.require("Request tokens");
    response_ = csv_.require("Response tokens");
  }

  bool next(TraceRow& row) override {
    if (!csv_.next()) return false;
    const auto arrival_ns = parse_decimal_seconds(csv_.text(timestamp_));
    if (!arrival_ns) {
      csv_.refuse(timestamp_, fmt::format("'{}' is not a time in seconds (at most 100 years)",
                                          printable(csv_.text(timestamp_))));
    }
    row.arrival_ns = *arrival_ns;
    row.input_tokens = csv_.integer(request_, 0, kMostTokens);
    row.output_tokens = csv_.integer(response_, 0, kMostTokens);
    if (keeps_details_) keep_details(row);
    return true;
  }

 private:
  void keep_details(TraceRow& row) {
    details_.clear();
    if (session_ && !csv_.text(*session_).empty()) {
      details_.add_text("session_id", csv_.text(*session_));
    }
    if (model_ && !csv_.text(*model_).empty()) details_.add_text("model", csv_.text(*model_));
    if (const std::string& ext = ext_.members(); !ext.empty()) {
      details_.add("ext", "{" + ext + "}");
    }
    row.details = details_.text();
  }

  CsvReader csv_;
  const bool keeps_details_;
  std::size_t timestamp_ = 0, request_ = 0, response_ = 0;  // columns
  std::optional<std::size_t> session_ = csv_.find("Session ID"), model_ = csv_.find("Model");
  ExtColumns ext_{csv_, {"Timestamp", "Request tokens", "Response tokens", "Session ID", "Model"}};
  MemberText details_;
};

}  // namespace

const ReaderEntry kBurstGptReader = {
    "burstgpt", "CSV: Timestamp,Model,Request tokens,Response tokens,…", recognises,
    TraceOrigin::earliest_row, open_rows<BurstGptRows>};

}  // namespace tokenyard
