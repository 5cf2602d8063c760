#pragma once

#include <sstream>
#include <string>
#include <vector>

#include "policies/catalogue.hpp"

namespace tokenyard::test {

/// Every policy of the catalogue by its defaults, and once more for each value of each of its
/// choices: "name", "name:key=value". A new policy is covered from its first day.
inline std::vector<std::string> catalogue_with_choices() {
  std::vector<std::string> texts;
  for (const PolicyEntry* entry : policy_catalogue()) {
    texts.emplace_back(entry->name);
    Parameters parameters("policy " + texts.back(), {});
    entry->make(parameters);
    for (const auto& declared : parameters.declared()) {
      if (declared.type != "choice") continue;
      std::istringstream options(declared.range);
      std::string option;
      while (std::getline(options, option, '|')) {
        if (option == declared.fallback) continue;
        texts.push_back(std::string(entry->name) + ":" + declared.name + "=" + option);
      }
    }
  }
  return texts;
}

/// The same and some settings of numbers that matter, for policies that have them today.
inline std::vector<std::string> policies_under_test() {
  std::vector<std::string> texts = catalogue_with_choices();
  texts.insert(texts.end(), {"mlfq:base_quantum_ms=3,ratio=1.5,levels=3",
                             "mlfq:demote=fit,overrun=carry,order=lifo",
                             "skip-join-mlfq:levels=3,ratio=4,order=arrival",
                             "skip-join-mlfq:ratio=1,levels=2,base_quantum_ms=7,overrun=carry"});
  return texts;
}

/// Each policy of the catalogue inside each kind of starvation guard.
inline std::vector<std::string> guarded_policies() {
  std::vector<std::string> texts;
  for (const PolicyEntry* entry : policy_catalogue()) {
    for (const char* guard : {"after_ms=4", "skips=2", "aging=200"}) {
      texts.push_back(std::string(entry->name) + " guarded by " + guard);
    }
  }
  return texts;
}

/// Policies that may take turns for ever. Where memory is short, chunks and recomputation on top
/// can undo each turn's work, so these run to an end only where each turn yields a token.
inline std::vector<std::string> turn_taking_policies() {
  std::vector<std::string> texts = guarded_policies();
  texts.insert(texts.end(), {"mlfq:base_quantum_ms=3,ratio=1", "mlfq:levels=2,promote_after_ms=5",
                             "mlfq:demote=fit,overrun=carry,order=lifo,promote_after_ms=2",
                             "skip-join-mlfq:levels=3,ratio=4,promote_after_ms=10,order=arrival",
                             "skip-join-mlfq:promote_after_ms=3,promote_check_ms=7"});
  return texts;
}

}  // namespace tokenyard::test
