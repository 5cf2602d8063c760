// What a stuck run says of itself.

#include <fmt/format.h>

#include "sim/kernel/invariant.hpp"
#include "sim/server/scheduler.hpp"

namespace tokenyard {

namespace {

std::string_view place_name(KvPlace place) {
  switch (place) {
    case KvPlace::host:
      return ", on the host";
    case KvPlace::remote:
      return ", at another replica";
    case KvPlace::moving_out:
    case KvPlace::moving_in:
      return ", in transit";
    default:
      return "";
  }
}

}  // namespace

std::string Scheduler::explain() {
  constexpr int kMostLines = 8;
  std::string text = fmt::format(
      "{} live requests, {} of {} KV blocks free, limits {} "
      "sequences and {} tokens",
      state_.live.size(), state_.blocks.free(), state_.blocks.total(),
      state_.settings.limits.max_num_seqs, state_.settings.limits.max_num_batched_tokens);
  state_.live.for_each([&](LiveRequest& live) { state_.cohort.catch_up(live); });
  int lines = 0;
  const auto describe = [&](const LiveRequest& live, std::string_view state) {
    if (++lines > kMostLines) return;
    text +=
        fmt::format("; request {} ({}{}{}) holds {} blocks and waits to compute {} tokens for {}",
                    index(live.view.id), state, place_name(live.view.kv),
                    live.settled ? ", keeps its blocks" : "", live.view.blocks_held,
                    live.view.pending_tokens(), live.view.sequences);
  };
  for (const LiveRequest& live : state_.ranking.order()) describe(live, "ranked");
  state_.live.for_each([&](const LiveRequest& live) {
    if (live.held) describe(live, "held by the policy");
  });
  if (lines > kMostLines) text += fmt::format("; and {} more", lines - kMostLines);
  return text;
}

void Scheduler::audit() {
  std::vector<const BlockTable*> device;
  std::vector<const BlockTable*> host;
  state_.live.for_each([&](LiveRequest& live) {
    device.push_back(&live.reserved);
    for (const Sequence& sequence : live.sequences) {
      device.push_back(&sequence.blocks);
      if (!live.is_remote) host.push_back(&sequence.host_blocks);
    }
  });
  swapper_.add_tables(device);
  state_.blocks.audit(device);
  state_.host_blocks.audit(host);
}

}  // namespace tokenyard
