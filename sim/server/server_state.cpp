#include "sim/server/server_state.hpp"

#include "sim/kernel/invariant.hpp"

namespace tokenyard {

ServerState::ServerState(const ServerSettings& server_settings, const ServerPorts& server_ports,
                         bool reads_tables)
    : settings(server_settings),
      ports(server_ports),
      ranking(live),
      blocks(settings.kv.device_blocks, settings.kv.block_size),
      host_blocks(settings.kv.host_blocks, settings.kv.block_size),
      memory(blocks, settings.kv.prefix_caching, !reads_tables && !ports.observer.reads_tables()),
      cohort(settings.kv.block_size),
      context(live, cohort, ports, settings.limits.max_num_seqs),
      gaps(ports.observer) {}

const RequestView& ServerContext::request(RequestId id) const {
  LiveRequest* live = live_.find(id);
  invariant(live != nullptr, "I5 only live requests are ranked",
            "a policy asked for request {}, which is not live", index(id));
  cohort_.catch_up(*live);
  return live->view;
}

IterationFacts memory_facts(const ServerState& state, std::int64_t waiting) {
  IterationFacts facts;
  facts.kv_blocks_used = state.blocks.held();
  facts.kv_blocks_shared = state.blocks.shared();
  facts.kv_blocks_saved = state.blocks.saved();
  facts.kv_blocks_cached = state.blocks.cached();
  facts.kv_blocks_draining = state.blocks.draining();
  facts.kv_tokens_unused = state.memory.tokens_unused();
  facts.waiting = waiting;
  return facts;
}

void enter_phase(ServerState& state, LiveRequest& live, Phase phase, Time at) {
  if (live.phase == phase) return;
  invariant(at >= live.phase_since, "I1 time stays in range",
            "request {} enters a phase before the last began", index(live.view.id));
  live.facts.phases[static_cast<std::size_t>(live.phase)] += at - live.phase_since;
  live.phase = phase;
  live.phase_since = at;
  state.ports.observer.entered(live.view.id, phase, at);
}

}  // namespace tokenyard
