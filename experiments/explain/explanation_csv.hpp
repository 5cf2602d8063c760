#pragma once

#include <string>

#include "experiments/explain/explanation.hpp"

namespace tokenyard {

/// CSV files of explanations, of as many runs as are added; times are seconds with nanosecond
/// digits. In `behind` and `running` an empty name stands for the time in which nothing ran.
/// A value type.
struct ExplanationTables {
  /// Of requests.
  std::string waterfall = "label,request_id,phase,from_s,until_s,duration_s\n";
  std::string behind =
      "label,request_id,behind,prompt_tokens,output_tokens,arrival_s,first_turn_s,later_s,"
      "waited_s\n";
  /// Of classes: one row each, and one row each pair.
  std::string classes = "label,by,class,requests,ran_s,waited_s\n";
  std::string delays = "label,by,waiting,running,first_turn_s,later_s,waited_s\n";

  void add(const RequestExplanation& explanation);
  void add(const ClassExplanation& explanation);
};

}  // namespace tokenyard
