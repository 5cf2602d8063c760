#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "experiments/compose.hpp"
#include "experiments/run.hpp"

namespace tokenyard {

/// A trace that several runs read, and the digest of its requests.
struct SharedTrace {
  std::shared_ptr<const RunTrace> trace;
  std::string digest;
};

/// The traces of a sweep's cells, each read or drawn once for all cells that share it; where they
/// are too many to be kept, the oldest go and are made again. Thread-safe.
class SharedTraces {
 public:
  /// Keeps traces of up to this many requests together (a plain request takes 16 bytes).
  explicit SharedTraces(std::size_t kept_requests = 8'000'000) : most_(kept_requests) {}

  /// The trace of a plan's run with this seed under these settings. Throws `InputError`.
  SharedTrace of(const RunPlan& plan, const Settings& settings, std::uint64_t seed);

 private:
  struct Entry {
    SharedTrace shared;  ///< without the trace, where it was not kept
    std::size_t requests = 0;
  };

  std::mutex mutex_;
  std::map<std::string, Entry> entries_;
  std::deque<std::string> kept_;  ///< keys of those in memory, the oldest first
  std::size_t requests_ = 0;      ///< of those
  std::size_t most_;
};

}  // namespace tokenyard
