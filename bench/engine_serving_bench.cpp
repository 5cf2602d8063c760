// What the serving core costs beside a real model: 64 requests of random:llama-134m decode
// together, and everything outside the engine (scheduler, block manager, policy, loop) is set
// against the whole.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <thread>

#include "engine/engine_executor.hpp"
#include "engine/engine_model.hpp"
#include "experiments/compose.hpp"
#include "models/linear_cost_model.hpp"
#include "sim/kernel/clock.hpp"
#include "sim/server/serve.hpp"

namespace tokenyard::bench {
namespace {

constexpr std::size_t kRequests = 64;
constexpr std::int64_t kPrompt = 96;
constexpr std::int64_t kOutput = 64;

class SameJobs final : public Workload, public RequestSource {
 public:
  void post_until(Time, Events& events) override {
    for (; next_ < kRequests; ++next_) {
      Request request;
      request.id = static_cast<RequestId>(next_);
      request.prompt_tokens = kPrompt;
      events.post(kOrigin, next_, Arrival{request});
    }
  }
  bool expects_more() const override { return next_ < kRequests; }
  EngineRequest request(RequestId id) override {
    EngineRequest request;
    request.prompt.assign(kPrompt, static_cast<Token>(index(id)));
    request.params.temperature = 0;
    request.params.max_tokens.reset();
    request.forced_tokens = {kOutput};
    return request;
  }

 private:
  std::size_t next_ = 0;
};

/// Adds up what the engine takes.
class TimedExecutor final : public Executor {
 public:
  explicit TimedExecutor(Executor& inner) : inner_(inner) {}
  void begin(const Iteration& iteration, Time now, Events& events) override {
    const Time start = clock_.now();
    inner_.begin(iteration, now, events);
    inside_ += clock_.now() - start;
    ++iterations_;
  }
  Duration inside() const { return inside_; }
  std::int64_t iterations() const { return iterations_; }

 private:
  Executor& inner_;
  WallClock clock_;
  Duration inside_{0};
  std::int64_t iterations_ = 0;
};

void serve_batch(benchmark::State& state, const char* dtype) {
  const auto threads = std::max(1U, std::thread::hardware_concurrency());
  EngineModel model("random:llama-134m", dtype, static_cast<int>(threads));
  ServerSettings settings;
  settings.limits.max_model_len = model.config().context;
  settings.kv.device_blocks = 1024;
  const LinearCostModel cost({.iteration_s = 0.01});
  Duration inside{0}, whole{0};
  std::int64_t iterations = 0;
  for (auto _ : state) {
    KvCache cache(model.kv_shape(16), settings.kv.device_blocks, 0);
    SameJobs jobs;
    Engine engine(model.transformer(), cache, jobs, nullptr, model.workers());
    EngineExecutor executor(engine, &cost);
    TimedExecutor timed(executor);
    const auto policy = compose_policy("skip-join-mlfq");
    Observer nobody;
    SimClock clock;
    Scheduler scheduler(settings, {*policy, cost, nullptr, nullptr, nobody}, 1);
    const WallClock since_now;
    serve(scheduler, clock, jobs, timed, nobody);
    whole += since_now.now() - kOrigin;
    inside += timed.inside();
    iterations += timed.iterations();
  }
  state.counters["tokens/s"] =
      static_cast<double>(state.iterations() * kRequests * kOutput) / to_seconds(whole);
  state.counters["us/iteration outside the engine"] =
      to_seconds(whole - inside) * 1e6 / static_cast<double>(iterations);
  state.counters["% outside the engine"] = 100 * to_seconds(whole - inside) / to_seconds(whole);
  state.counters["% allowed"] = 1;
}

BENCHMARK_CAPTURE(serve_batch, f32, "f32")->Unit(benchmark::kMillisecond)->Iterations(1);
BENCHMARK_CAPTURE(serve_batch, bf16, "bf16")->Unit(benchmark::kMillisecond)->Iterations(2);

}  // namespace
}  // namespace tokenyard::bench
