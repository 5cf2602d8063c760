#pragma once
// A whole simulation of several replicas in one call.

#include <fmt/format.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "sim/server/fleet.hpp"
#include "tests/support/simulation.hpp"

namespace tokenyard::test {

struct FleetCase {
  FleetSettings fleet;
  ServerSettings server = ample();
  std::string policy = "fcfs";
  std::string router = "round-robin";
  std::uint64_t seed = 1;
  bool tells = true;  ///< of iterations, and a story
  /// A copy between replicas.
  KvTransferTime transfer = [](std::int64_t, ReplicaId, ReplicaId) { return Duration{0}; };
};

struct FleetOutcome {
  std::vector<RequestFacts> requests;   ///< by dense id
  std::vector<int> ends;                ///< how often each ended
  std::vector<std::string> iterations;  ///< by replica: a line each, "10: 0+1 2+400" in ms
  std::string story;  ///< all that does not depend on the order in which replicas are told of
  std::int64_t passes = 0;
  std::int64_t iterations_begun = 0;

  Duration jct(std::size_t request) const {
    return requests.at(request).ended - requests.at(request).request.arrival;
  }
};

/// Serves `jobs`; `cost` charges and advises. Everything must have ended, with nothing held.
FleetOutcome run_fleet(const std::vector<Job>& jobs, const CostModel& cost, const FleetCase& what,
                       Observer* observer = nullptr);

}  // namespace tokenyard::test
