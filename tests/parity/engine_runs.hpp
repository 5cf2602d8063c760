#pragma once
// Runs of the real engine on random weights, with all that came out of them kept for comparison.

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "engine/engine_model.hpp"
#include "engine/generation.hpp"
#include "sim/ports/observer.hpp"
#include "sim/server/settings.hpp"

namespace tokenyard::test {

/// A request as these tests make them up.
struct EngineJob {
  std::int64_t arrival_us = 0;
  EngineRequest request;
};

/// What became of one request.
struct EngineOutcome {
  std::vector<GeneratedOutput> outputs;
  std::uint64_t logits = 0;  ///< a digest of the bits of all logits, by sequence and position
  RequestFacts facts;

  bool same_as(const EngineOutcome& other) const;
};

/// How a run is to be made.
struct EngineSetting {
  std::string policy = "fcfs";
  ServerSettings server;
  bool live = false;  ///< on the wall clock
};

/// `count` requests with prompts of 4 to 40 tokens and outputs of 4 to 32, arriving within a tenth
/// of a second; their sampling parameters differ.
std::vector<EngineJob> engine_jobs(std::size_t count, std::uint64_t seed);

/// Serves the jobs; outcomes by their order.
std::vector<EngineOutcome> serve_on_engine(EngineModel& model, const std::vector<EngineJob>& jobs,
                                           const EngineSetting& setting);

/// What each of them says when it is alone.
std::vector<EngineOutcome> serve_alone(EngineModel& model, const std::vector<EngineJob>& jobs);

}  // namespace tokenyard::test
