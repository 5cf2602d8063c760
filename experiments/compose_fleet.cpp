#include "experiments/compose_fleet.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "experiments/data_files.hpp"
#include "models/device_spec.hpp"
#include "models/kv_transfer.hpp"
#include "models/model_spec.hpp"
#include "sim/kernel/clock.hpp"
#include "sim/kernel/input_error.hpp"
#include "sim/kernel/rng.hpp"
#include "sim/kernel/text.hpp"
#include "sim/server/routers.hpp"

namespace tokenyard {

namespace {

std::string text_of(const FailReplica& failure) {
  std::string text = fmt::format("{}:{}", failure.replica, format_number(failure.at_s));
  if (failure.for_s) text += ":" + format_number(*failure.for_s);
  return text;
}

/// By replica, then by time.
std::vector<FailReplica> sorted(std::vector<FailReplica> failures) {
  std::stable_sort(failures.begin(), failures.end(), [](const auto& a, const auto& b) {
    return a.replica != b.replica ? a.replica < b.replica : a.at_s < b.at_s;
  });
  return failures;
}

void refuse_overlaps(const std::vector<FailReplica>& failures) {
  for (std::size_t i = 1; i < failures.size(); ++i) {
    const FailReplica& first = failures[i - 1];
    const FailReplica& second = failures[i];
    if (first.replica != second.replica) continue;
    if (first.for_s &&
        from_seconds(first.at_s) + from_seconds(*first.for_s) <= from_seconds(second.at_s)) {
      continue;
    }
    throw InputError(fmt::format("--fail-replica {}: replica {} is down then already, by {}",
                                 text_of(second), second.replica, text_of(first)));
  }
}

/// Some replica from `first` up to `last` must be there in the end.
void refuse_lasting_loss(const Settings& settings, std::int64_t first, std::int64_t last,
                         const char* what) {
  double lost_at_s = 0;
  for (std::int64_t replica = first; replica < last; ++replica) {
    const auto for_good = std::find_if(
        settings.failures.begin(), settings.failures.end(),
        [&](const FailReplica& failure) { return failure.replica == replica && !failure.for_s; });
    if (for_good == settings.failures.end()) return;
    lost_at_s = std::max(lost_at_s, for_good->at_s);
  }
  throw InputError(
      fmt::format("--fail-replica: from {} s on all {} replicas{} have failed for good, and "
                  "requests would wait "
                  "for ever; let one come back (ID:AT_S:FOR_S)",
                  format_number(lost_at_s), last - first, what));
}

}  // namespace

bool is_fleet(const Settings& settings) {
  return settings.replicas > 1 || !settings.failures.empty();
}

void refuse_bad_fleet(const Settings& settings) {
  const std::int64_t prefill = settings.prefill_replicas;
  if (prefill > 0 && prefill >= settings.replicas) {
    throw InputError(fmt::format("--prefill-replicas {}: of --replicas {} at least one must decode",
                                 prefill, settings.replicas));
  }
  for (const FailReplica& failure : settings.failures) {
    if (failure.replica < settings.replicas) continue;
    throw InputError(
        fmt::format("--fail-replica {}: there is no replica {}; with --replicas {} the "
                    "last is {}",
                    text_of(failure), failure.replica, settings.replicas, settings.replicas - 1));
  }
  refuse_overlaps(sorted(settings.failures));
  if (prefill > 0) refuse_lasting_loss(settings, 0, prefill, " that prefill");
  refuse_lasting_loss(settings, prefill, settings.replicas, prefill > 0 ? " that decode" : "");
  if (!is_fleet(settings)) return;
  if (settings.executor == "engine") {
    throw InputError(
        "--replicas and --fail-replica go with --executor model: the engine is one server");
  }
  if (prefill > 0 && settings.server.limits.static_batching) {
    throw InputError(
        "--prefill-replicas hands requests over in the midst of their batches, and "
        "--static-batching keeps those together");
  }
}

KvTransferTime compose_transfer(const Machine& machine) {
  const Settings& settings = machine.settings;
  if (settings.prefill_replicas == 0) return {};
  if (settings.model_name.empty() || settings.device_name.empty()) {
    const CostModel& cost = *machine.cost;
    return [&cost](std::int64_t blocks, ReplicaId, ReplicaId) { return cost.copy(blocks); };
  }
  const auto data = data_directory() / "models";
  const ModelSpec model = load_model_spec(data, settings.model_name);
  const Parallelism parallelism = parallelism_of(settings);
  const std::int64_t block_tokens = settings.server.kv.block_size;
  const auto transfer =
      settings.topology.empty()
          ? std::make_shared<const KvTransfer>(model, load_device_spec(data, settings.device_name),
                                               parallelism, block_tokens)
          : std::make_shared<const KvTransfer>(model, load_topology(data, settings.topology),
                                               parallelism, block_tokens,
                                               static_cast<std::size_t>(settings.replicas));
  return [transfer](std::int64_t blocks, ReplicaId from, ReplicaId to) {
    return transfer->of(blocks, index(from), index(to));
  };
}

std::int64_t run_fleet(const Machine& machine, const ReplicaPorts& ports,
                       const std::function<ReplicaParts(ReplicaId)>& make, Workload& workload,
                       std::uint64_t seed) {
  const Settings& settings = machine.settings;
  FleetSettings fleet;
  fleet.replicas = static_cast<std::size_t>(settings.replicas);
  fleet.prefill_replicas = static_cast<std::size_t>(settings.prefill_replicas);
  for (const FailReplica& failure : settings.failures) {
    const Time at = kOrigin + from_seconds(failure.at_s);
    fleet.outages.push_back({static_cast<ReplicaId>(failure.replica), at,
                             failure.for_s ? at + from_seconds(*failure.for_s) : kNever});
  }
  const auto arrivals = make_router(settings.router, seed);
  // Its draws are of a stream of its own, so that they shift no other.
  const auto handoffs = make_router(settings.router, named_stream(seed, "hand-over router")());
  SimClock clock;
  return serve_fleet(fleet, settings.server, ports, {*arrivals, *handoffs}, make,
                     compose_transfer(machine), clock, workload);
}

}  // namespace tokenyard
