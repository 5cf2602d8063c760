#include "experiments/compose_engine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "engine/calibration.hpp"
#include "engine/engine_executor.hpp"
#include "engine/live_executor.hpp"
#include "experiments/interrupt.hpp"
#include "experiments/record/observer_list.hpp"
#include "experiments/trace_requests.hpp"
#include "models/linear_cost_model.hpp"
#include "sim/kernel/clock.hpp"
#include "sim/kernel/input_error.hpp"
#include "sim/server/serve.hpp"

namespace tokenyard {

namespace {

constexpr std::int64_t kPoolBytesMost = std::int64_t{2} << 30;  // unless a number is given

int thread_count(std::int64_t asked) {
  if (asked > 0) return static_cast<int>(asked);
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

/// Room for as many full contexts as there may be sequences, but within bounds.
void derive_pools(Settings& settings, EngineModel& model, std::vector<std::string>& notes) {
  KvSettings& kv = settings.server.kv;
  const Limits& limits = settings.server.limits;
  const KvShape shape = model.kv_shape(static_cast<std::int32_t>(kv.block_size));
  const std::int64_t context_blocks = (limits.max_model_len + kv.block_size - 1) / kv.block_size;
  const std::int64_t fits = std::max(context_blocks, kPoolBytesMost / shape.block_bytes());
  if (kv.device_blocks == 0) {
    kv.device_blocks = std::min(limits.max_num_seqs * context_blocks, fits);
    notes.push_back(fmt::format("--kv-blocks {} by default", kv.device_blocks));
  }
  if (kv.evict != Evict::recompute && settings.derive_host_blocks) {
    kv.host_blocks = std::min(limits.max_num_seqs * context_blocks, fits);
  }
}

std::unique_ptr<LinearCostModel> measured_cost(EngineModel& model, std::int64_t block_size) {
  const Calibration found = calibrate(model, static_cast<std::int32_t>(block_size));
  LinearCoefficients coefficients;
  coefficients.iteration_s = to_seconds(found.iteration);
  coefficients.prefill_token_s = to_seconds(found.prefill_token);
  coefficients.decode_sequence_s = to_seconds(found.decode_sequence);
  coefficients.swap_block_s = to_seconds(found.copy_block);
  return std::make_unique<LinearCostModel>(coefficients);
}

/// Keeps what each request has said as a digest, and lets the engine forget the rest.
class DigestKeeper final : public Observer {
 public:
  DigestKeeper(Engine& engine, TokenDigests& digests) : engine_(engine), digests_(digests) {}

  bool watches_iterations() const override { return false; }
  void ended(const RequestFacts& facts) override {
    const Generation* const said = engine_.generation(facts.request.id);
    if (said == nullptr) return;
    const std::size_t id = index(facts.request.id);
    if (id >= digests_.size()) digests_.resize(id + 1);
    digests_[id] = said->digest();
    engine_.forget(facts.request.id);
  }

 private:
  Engine& engine_;
  TokenDigests& digests_;
};

}  // namespace

void compose_engine(Machine& machine, std::shared_ptr<EngineModel> loaded) {
  Settings& settings = machine.settings;
  if (settings.weights.empty()) {
    throw InputError("--executor engine needs --weights: a model's folder, or random:NAME");
  }
  if (settings.tp > 1) throw InputError("the engine runs on one machine: --tp goes with 'model'");
  if (settings.server.kv.block_size > kKvBlockTokensMost) {
    throw InputError(
        fmt::format("the engine's KV blocks hold at most {} tokens", kKvBlockTokensMost));
  }
  machine.engine = loaded != nullptr ? std::move(loaded)
                                     : std::make_shared<EngineModel>(
                                           settings.weights, settings.dtype,
                                           thread_count(settings.threads), settings.kv_cache_dtype);
  EngineModel& model = *machine.engine;
  Limits& limits = settings.server.limits;
  const std::int64_t context = model.config().context;
  if (limits.max_model_len > context) {
    throw InputError(fmt::format("--max-model-len {} is beyond the model's context of {} tokens",
                                 limits.max_model_len, context));
  }
  if (limits.max_model_len == 0) limits.max_model_len = context;
  derive_pools(settings, model, machine.notes);
  const bool live = settings.clock == "wall";
  machine.measures = live || machine.cost == nullptr;
  if (machine.cost == nullptr) {
    auto measured = measured_cost(model, settings.server.kv.block_size);
    machine.cost_json = measured->to_json();
    machine.cost = std::move(measured);
    machine.notes.push_back(
        live ? "policies are advised by costs measured at the start"
             : "iterations are charged the time they really took: not reproducible");
  }
}

SimulationCounts run_engine(const Machine& machine, TraceView& view, Workload& workload,
                            const ServerPorts& ports, std::uint64_t seed, TokenDigests& digests) {
  EngineModel& model = *machine.engine;
  const KvSettings& kv = machine.settings.server.kv;
  KvCache cache(model.kv_shape(static_cast<std::int32_t>(kv.block_size)), kv.device_blocks,
                kv.host_blocks);
  TraceRequests requests(view, model.config(), seed);
  Engine engine(model.transformer(), cache, requests, model.tokenizer(), model.workers());
  DigestKeeper keeper(engine, digests);
  ObserverList observers({&keeper, &ports.observer});
  const ServerPorts watched{ports.policy, ports.advising_cost, ports.predictor, ports.oracle,
                            observers};
  if (machine.settings.clock == "wall") {
    WallClock clock(interrupted);
    LiveExecutor executor(engine, clock);
    Scheduler scheduler(machine.settings.server, watched, executor.depth());
    const SimulationCounts counts{serve(scheduler, clock, workload, executor, observers)};
    executor.check();
    return counts;
  }
  SimClock clock;
  EngineExecutor executor(engine, machine.measures ? nullptr : machine.cost.get());
  Scheduler scheduler(machine.settings.server, watched, executor.depth());
  return {serve(scheduler, clock, workload, executor, observers)};
}

}  // namespace tokenyard
