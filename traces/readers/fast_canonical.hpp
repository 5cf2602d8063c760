#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "traces/readers/fast_json.hpp"
#include "traces/trace_builder.hpp"

namespace tokenyard {

/// Reads lines of the canonical form that are right, with lists and all (but for `slo`): what this
/// accepts, that reads in the same way by the strict parser. Not safe to share between threads.
class FastCanonicalRow {
 public:
  /// Fields of `detail_fields` are checked and passed over where `skip_details`, else they are left
  /// to the strict parser.
  explicit FastCanonicalRow(bool skip_details) : skip_details_(skip_details) {}

  /// False for what is left to the strict parser, with `row` in no particular state. What `row`
  /// refers to lives until the next call.
  bool read(std::string_view line, TraceRow& row);

 private:
  bool set(std::size_t field, simdjson::dom::element value, TraceRow& row);
  bool set_outputs(simdjson::dom::element value, TraceRow& row);
  bool set_hashes(simdjson::dom::element value, TraceRow& row);
  void set_session(simdjson::dom::element value, TraceRow& row);
  bool set_parents(simdjson::dom::element value, TraceRow& row);

  const bool skip_details_;
  FastJson json_;
  std::string label_, session_;
  std::vector<std::string> parents_;
  std::vector<std::int64_t> outputs_, block_hashes_, token_ids_;
};

}  // namespace tokenyard
