#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "traces/trace_view.hpp"

namespace tokenyard {

/// The requests of a trace by class. A value type.
struct RequestClasses {
  std::string by;                         ///< "output", "prompt", "tenant" or "priority"
  std::vector<std::string> names;         ///< only classes that occur, in their order
  std::vector<std::uint32_t> of_request;  ///< the class, by dense id
};

/// Sorts the requests of a whole trace (all of `view`):
/// - by "output" or "prompt" tokens: up to 16, 64, 256, 1024, 4096 and more. The classes are the
///   same for every trace, so that tables can be compared;
/// - by "tenant": those with the most requests first, equals in the order of their first request;
/// - by "priority": each value, the most urgent first.
/// Of more than eight tenants or priorities all but the first seven are one class.
/// Throws `InputError` for anything else.
RequestClasses classify(const TraceView& view, const std::vector<std::string>& tenants,
                        const std::string& by);

}  // namespace tokenyard
