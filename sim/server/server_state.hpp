#pragma once

#include <vector>

#include "sim/ports/observer.hpp"
#include "sim/ports/output_oracle.hpp"
#include "sim/ports/policy.hpp"
#include "sim/server/block_manager.hpp"
#include "sim/server/cohort.hpp"
#include "sim/server/live_table.hpp"
#include "sim/server/rank_index.hpp"
#include "sim/server/request_memory.hpp"
#include "sim/server/settings.hpp"

namespace tokenyard {

/// What the server asks of the world; all of it is owned by the composition and outlives the
/// server.
struct ServerPorts {
  Policy& policy;
  const CostModel& advising_cost;    ///< what the policy is told; may differ from what charges
  const LengthPredictor* predictor;  ///< may be null unless the policy needs one
  const OutputOracle* oracle;        ///< null where no truth exists (a live server)
  Observer& observer;
};

/// The context handed to policies; the scheduler moves it on.
class ServerContext final : public PolicyContext {
 public:
  ServerContext(LiveTable& live, const Cohort& cohort, const ServerPorts& ports,
                std::int64_t max_num_seqs)
      : live_(live), cohort_(cohort) {
    max_num_seqs_ = max_num_seqs;
    cost_ = &ports.advising_cost;
    predictor_ = ports.predictor;
  }

  const RequestView& request(RequestId id) const override;

  void advance_to(Time now) { now_ = now; }
  void count_iterations(std::uint64_t iterations) { iterations_ += iterations; }

 private:
  LiveTable& live_;
  const Cohort& cohort_;
};

/// Tells the observer of token gaps, equal ones of an iteration together.
class TokenGaps {
 public:
  explicit TokenGaps(Observer& observer) : observer_(observer) {}

  void count(Time now, Duration gap, std::int64_t sequences) {
    if (gap != gap_) flush();
    now_ = now;
    gap_ = gap;
    count_ += sequences;
  }
  /// To be called when an iteration's tokens have been counted.
  void flush() {
    if (count_ > 0) observer_.token_gaps(now_, gap_, count_);
    count_ = 0;
  }

 private:
  Observer& observer_;
  Time now_ = kOrigin;
  Duration gap_{0};
  std::int64_t count_ = 0;
};

/// The state that the parts of the scheduler share: who is live, in which order, on which blocks.
struct ServerState {
  /// `reads_tables`: the executor does.
  ServerState(const ServerSettings& server_settings, const ServerPorts& server_ports,
              bool reads_tables);

  const ServerSettings settings;
  const ServerPorts ports;
  LiveTable live;
  RankIndex ranking;
  BlockManager blocks;
  BlockManager host_blocks;
  RequestMemory memory;
  Cohort cohort;
  ServerContext context;
  TokenGaps gaps;
  std::vector<LiveRequest*> returned;  ///< ran in an iteration whose end was taken since the last
                                       ///< decision that could have taken them up again
  std::int64_t tokens_produced = 0;    ///< by all sequences there ever were
  std::uint64_t pass = 0;              ///< number of the pass going on, from 1
};

/// The memory at this instant, for an iteration outside which `waiting` requests live.
IterationFacts memory_facts(const ServerState& state, std::int64_t waiting);

/// Closes the phase that `live` is in at `at` and opens `phase`.
void enter_phase(ServerState& state, LiveRequest& live, Phase phase, Time at);

}  // namespace tokenyard
