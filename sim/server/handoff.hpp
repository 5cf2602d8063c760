#pragma once

#include <cstdint>
#include <vector>

#include "sim/ports/ids.hpp"
#include "sim/ports/observer.hpp"
#include "sim/ports/request_view.hpp"
#include "sim/server/block_manager.hpp"

namespace tokenyard {

/// The KV of a request that another replica holds until it has been copied.
struct RemoteKv {
  ReplicaId from{};
  CopyId copy{};                   ///< the end of this copy sets the blocks there free
  std::vector<BlockTable> tables;  ///< a sequence each, as there; empty: there is none
};

/// A live request on its way from one replica to another: because the first has computed its prompt
/// (prefill/decode disaggregation), or because it has failed. The second goes on where the first
/// left off: what was produced stays produced, and time and counts run on. A value type.
struct Handoff {
  RequestFacts facts;
  RequestView view;
  std::vector<std::int32_t> sequences;  ///< numbers of the unfinished ones
  std::int64_t reserve_tokens = 0;
  std::int64_t computed_peak = 0;
  std::int64_t times_evicted = 0;
  bool settled = false;
  Phase phase = Phase::queue;
  Time phase_since = kOrigin;
  Time last_token = kOrigin;
  RemoteKv kv;

  RequestId id() const { return view.id; }
};

}  // namespace tokenyard
