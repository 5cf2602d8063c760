// The event queue: one iteration's end posted and taken while n arrivals are pending, and a whole
// trace preloaded and drained.

#include <benchmark/benchmark.h>

#include "sim/kernel/rng.hpp"
#include "sim/ports/events.hpp"

namespace tokenyard::bench {
namespace {

Arrival arrival_of(std::uint32_t id) {
  Arrival arrival;
  arrival.request.id = RequestId{id};
  return arrival;
}

void end_among_pending_arrivals(benchmark::State& state) {
  Events events;
  const Time far = kOrigin + std::chrono::hours(1000);
  for (std::uint32_t i = 0; i < static_cast<std::uint32_t>(state.range(0)); ++i) {
    events.post(far + Duration(i), i, arrival_of(i));
  }
  std::vector<Event> due;
  Time now = kOrigin;
  std::uint64_t iteration = 0;
  for (auto _ : state) {
    now += Duration(1);
    events.post(now, iteration, IterationEnd{IterationId{iteration}, {}});
    benchmark::DoNotOptimize(events.next_time(Events::kKinds));
    events.take_due(now, due);
    ++iteration;
  }
}

void preload_and_drain(benchmark::State& state) {
  const auto count = static_cast<std::uint32_t>(state.range(0));
  Rng rng(1);
  std::vector<Time> times;
  for (std::uint32_t i = 0; i < count; ++i) times.push_back(kOrigin + Duration(rng() >> 8));
  std::vector<Event> due;
  for (auto _ : state) {
    Events events;
    for (std::uint32_t i = 0; i < count; ++i) events.post(times[i], i, arrival_of(i));
    while (!events.empty()) events.take_due(events.next_time(Events::kKinds), due);
  }
  state.counters["s/event"] =
      benchmark::Counter(static_cast<double>(count) * static_cast<double>(state.iterations()),
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

BENCHMARK(end_among_pending_arrivals)->ArgName("pending")->Arg(1)->Arg(1000)->Arg(100'000);
BENCHMARK(preload_and_drain)
    ->ArgName("events")
    ->Arg(1000)
    ->Arg(100'000)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tokenyard::bench
