#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tokenyard {

/// "mean_jct_s<=+3%" (against the base) or "p99_ttft_s<=0.5" (the candidate's own value). A value
/// type.
struct Gate {
  std::string text;     ///< as given
  std::string metric;   ///< a name of `metric_names`
  bool at_most = true;  ///< <=, else >=
  bool relative = false;
  double bound = 0;  ///< relative: a share, +3 % is 0.03
};

enum class GateOutcome : std::uint8_t { pass, fail, inconclusive };

/// Of the interval from `low` to `high`: pass where all of it keeps the bound, fail where none
/// does.
GateOutcome outcome_of(const Gate& gate, double low, double high);

/// Throws `InputError` for anything else, with the nearest known metric.
/// `kind` is what messages call it.
Gate parse_gate(std::string_view text, std::string_view kind = "gate");

/// Whether a smaller value of this metric is the better one; empty where neither is (counts of
/// requests, batch sizes).
std::optional<bool> less_is_better(std::string_view metric);

}  // namespace tokenyard
