// One pass of the scheduler in the steady state: it takes the end of an iteration of 50 requests
// and forms the next. The number of waiting requests must hardly matter, since no pass walks them.

#include <benchmark/benchmark.h>

#include "bench/busy_server.hpp"

namespace tokenyard::bench {
namespace {

void pass(benchmark::State& state, const char* policy) {
  BusyServer server(policy, 50, state.range(0));
  // Past the prefills of the beginning.
  for (int i = 0; i < 2000; ++i) server.step();
  const std::uint64_t slots_before = server.slots();
  for (auto _ : state) server.step();
  const auto slots = static_cast<double>(server.slots() - slots_before);
  const auto iterations = static_cast<double>(state.iterations());
  state.counters["iterations/s"] = benchmark::Counter(iterations, benchmark::Counter::kIsRate);
  state.counters["required/s"] = kRequiredIterationsASecond;
  state.counters["batch"] = slots / iterations;
  state.counters["s/slot"] =
      benchmark::Counter(slots, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

const bool registered = [] {
  for (const char* policy : kPolicies) {
    benchmark::RegisterBenchmark(("pass/" + std::string(policy)).c_str(), pass, policy)
        ->ArgName("waiting")
        ->Arg(100)
        ->Arg(10'000)
        ->Arg(100'000);
  }
  return true;
}();

}  // namespace
}  // namespace tokenyard::bench
