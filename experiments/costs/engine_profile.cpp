#include "experiments/costs/engine_profile.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "engine/engine_model.hpp"
#include "engine/engine_probe.hpp"
#include "experiments/interrupt.hpp"
#include "sim/kernel/clock.hpp"
#include "sim/kernel/input_error.hpp"

namespace tokenyard {

namespace {

class MeasuredEngine final : public ProfiledMachine {
 public:
  MeasuredEngine(EngineModel& model, const ProfileLimits& limits)
      : probe_(model, static_cast<std::int32_t>(limits.block_tokens), limits.blocks) {}

  Duration iteration(const ProfilePoint& point) override {
    if (interrupted()) throw Interrupted("interrupted: nothing is written");
    return probe_.iteration(point.sequences);
  }
  Duration copy(std::int64_t blocks, bool to_host) override {
    return probe_.copy(blocks, to_host ? CopyDirection::to_host : CopyDirection::to_device);
  }
  Time now() override { return clock_.now(); }

 private:
  EngineProbe probe_;
  WallClock clock_;
};

ProfileLimits profile_limits(const Machine& machine) {
  constexpr std::int64_t kPoolBytesMost = std::int64_t{1} << 30;  // and as much on the host
  const Settings& settings = machine.settings;
  const KvSettings& kv = settings.server.kv;
  const Limits& limits = settings.server.limits;
  const KvShape shape = machine.engine->kv_shape(static_cast<std::int32_t>(kv.block_size));
  ProfileLimits found;
  found.context = limits.max_model_len;
  found.max_sequences = limits.max_num_seqs;
  found.max_batched_tokens = limits.max_num_batched_tokens;
  found.block_tokens = kv.block_size;
  constexpr std::int64_t kContextLeast = 4;
  if (found.context < kContextLeast) {
    throw InputError(fmt::format("a profile needs a context of at least {} tokens, and this is {}",
                                 kContextLeast, found.context));
  }
  const std::int64_t context_blocks = (found.context + kv.block_size - 1) / kv.block_size;
  found.blocks =
      std::max(context_blocks, std::min(kv.device_blocks, kPoolBytesMost / shape.block_bytes()));
  return found;
}

}  // namespace

ProfilePlan engine_plan(const Machine& machine, ProfilePlan plan) {
  const Settings& settings = machine.settings;
  plan.limits = profile_limits(machine);
  plan.source =
      fmt::format("the engine: weights {}, dtype {}, KV {}, {} threads, KV blocks of {} tokens",
                  settings.weights, settings.dtype, settings.kv_cache_dtype,
                  machine.engine->workers().count(), settings.server.kv.block_size);
  return plan;
}

std::unique_ptr<ProfiledMachine> profiled_engine(const Machine& machine,
                                                 const ProfileLimits& limits) {
  return std::make_unique<MeasuredEngine>(*machine.engine, limits);
}

Profile profile_engine(const Machine& machine, const ProfilePlan& plan,
                       const std::function<void(std::int64_t, std::int64_t)>& told) {
  const ProfilePlan filled = engine_plan(machine, plan);
  const auto engine = profiled_engine(machine, filled.limits);
  return take_profile(*engine, filled, told);
}

}  // namespace tokenyard
