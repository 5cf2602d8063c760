// A production load on the loop: lognormal lengths with the mean and the variation of those of
// Azure's conversations of up to 4,096 tokens (Patel et al., ISCA 2024: prompts of 878 tokens,
// coefficient of variation 0.72; outputs of 224 and 0.73), 4.1 requests/s for Llama-2-7B on an
// A100, prompts in chunks of 512. Recorded, but not written.

#include <benchmark/benchmark.h>

#include "experiments/compose.hpp"
#include "experiments/record/recorder.hpp"

namespace tokenyard::bench {
namespace {

constexpr int kRequests = 100'000;
constexpr const char* kPlan =
    R"({"requests":100000,"arrivals":"poisson:rate=4.1","lengths":"lognormal:prompt_mu=6.569,)"
    R"(prompt_sigma=0.646,output_mu=5.199,output_sigma=0.652,max=2048"})";

void production_load(benchmark::State& state, const char* policy, bool macro_steps,
                     double required) {
  Settings settings;
  settings.model_name = "llama-2-7b";
  settings.device_name = "a100-80g";
  settings.server.limits.max_num_seqs = 128;
  settings.server.limits.chunk_tokens = 512;
  settings.server.macro_steps = macro_steps;
  const Machine machine = compose_machine(settings);
  TraceSource source;
  source.path = kPlan;
  const RunTrace trace = compose_trace(source, machine.settings, 1);
  std::int64_t iterations = 0, passes = 0;
  for (auto _ : state) {
    Recorder recorder;
    const auto view = trace.view();
    passes += run_simulation(policy, machine, trace, *view, 1, recorder).passes;
    iterations += recorder.iterations();
  }
  const auto rate = [](double count) {
    return benchmark::Counter(count, benchmark::Counter::kIsRate);
  };
  const double runs = static_cast<double>(state.iterations());
  state.counters["requests/s"] = rate(kRequests * runs);
  state.counters["iterations/s"] = rate(static_cast<double>(iterations));
  state.counters["passes/iterations"] =
      static_cast<double>(passes) / static_cast<double>(iterations);
  state.counters["required/s"] = required;
}

const bool registered = [] {
  const auto add = [](const char* policy, bool macro_steps, double required) {
    const std::string name = std::string(policy) + (macro_steps ? "" : "/single steps");
    benchmark::RegisterBenchmark(name.c_str(), production_load, policy, macro_steps, required)
        ->Unit(benchmark::kMillisecond);
  };
  add("fcfs", true, 500'000);  // requests/s
  for (const char* policy : {"srpt", "mlfq", "skip-join-mlfq"}) add(policy, true, 150'000);
  add("fcfs", false, 1'000'000);  // iterations/s
  return true;
}();

}  // namespace
}  // namespace tokenyard::bench
