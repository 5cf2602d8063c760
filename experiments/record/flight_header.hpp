#pragma once
// The first line of a flight record: whose decisions it holds.

#include <cstddef>
#include <cstdint>
#include <string>

#include "experiments/settings.hpp"
#include "sim/kernel/strict_json.hpp"

namespace tokenyard {

/// Enough to compose the policy, the predictor and the scheduler of a recorded run again, without
/// its trace. A value type.
struct FlightHeader {
  std::string version;  ///< of the program that recorded
  std::string policy;   ///< as typed
  std::string system;   ///< empty: none
  std::uint64_t seed = 1;
  bool clairvoyant = false;
  Settings settings;      ///< with all that model and device imply; the guard is among them
  std::string cost_json;  ///< what the cost model file said; empty: model and device say it
  int depth = 1;          ///< iterations that the executor holds at once
  /// The mean of the trace's true output lengths, for the predictor that knows no more; 0 where no
  /// truth was known. Then arrivals have no true length either.
  double output_tokens_mean = 0;

  // Where the requests came from; nothing is read from there again.
  std::string trace;         ///< a file's path, or a workload plan; empty: clients
  std::string trace_digest;  ///< empty where it was known only at the end
};

/// The line, without its end.
std::string header_line(const FlightHeader& header);

/// Reads it. Throws `InputError` for anything that is not such a line of this format version.
FlightHeader read_header(const JsonObject& line);

}  // namespace tokenyard
