#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tokenyard {

/// "mean_jct_s<=+3%" (against the base) or "p99_ttft_s<=0.5" (the candidate's own value). A value
/// type.
struct Gate {
  std::string text;     ///< as given
  std::string metric;   ///< a name of `summary_names`
  bool at_most = true;  ///< <=, else >=
  bool relative = false;
  double bound = 0;  ///< relative: a share, +3 % is 0.03
};

/// Throws `InputError` for anything else, with the nearest known metric.
Gate parse_gate(std::string_view text);

/// Whether a smaller value of this metric is the better one; empty where neither is (counts of
/// requests, batch sizes).
std::optional<bool> less_is_better(std::string_view metric);

}  // namespace tokenyard
