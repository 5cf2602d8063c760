// The ranking: a change of place costs O(log n), one that keeps the place O(1), and reading the
// best of it does not depend on n.

#include <benchmark/benchmark.h>

#include "sim/kernel/rng.hpp"
#include "sim/server/rank_index.hpp"

namespace tokenyard::bench {
namespace {

/// `count` live requests, ranked at random places.
struct Ranked {
  explicit Ranked(std::int64_t count) : index(live), size(static_cast<std::uint32_t>(count)) {
    for (std::uint32_t i = 0; i < size; ++i) {
      Request request;
      request.id = RequestId{i};
      live.insert(request);
      index.set(request.id, {random_key()});
    }
  }
  std::int64_t random_key() { return static_cast<std::int64_t>(rng() >> 2); }
  RequestId random_request() { return RequestId{static_cast<std::uint32_t>(rng() % size)}; }

  Rng rng{1};
  LiveTable live;
  RankIndex index;
  std::uint32_t size;
};

void move_anywhere(benchmark::State& state) {
  Ranked ranked(state.range(0));
  for (auto _ : state) ranked.index.set(ranked.random_request(), {ranked.random_key()});
}

void keep_the_place(benchmark::State& state) {
  Ranked ranked(state.range(0));
  for (auto _ : state) {
    const RequestId request = ranked.random_request();
    ranked.index.set(request, ranked.live.find(request)->key);
  }
}

void hold_and_rank_again(benchmark::State& state) {
  Ranked ranked(state.range(0));
  for (auto _ : state) {
    const RequestId request = ranked.random_request();
    const RankKey key = ranked.live.find(request)->key;
    ranked.index.hold(request);
    ranked.index.set(request, key);
  }
}

void read_the_best_ten(benchmark::State& state) {
  Ranked ranked(state.range(0));
  for (auto _ : state) {
    int left = 10;
    for (const LiveRequest& live : ranked.index.order()) {
      benchmark::DoNotOptimize(&live);
      if (--left == 0) break;
    }
  }
}

BENCHMARK(move_anywhere)->ArgName("live")->Arg(10)->Arg(1000)->Arg(100'000);
BENCHMARK(keep_the_place)->ArgName("live")->Arg(10)->Arg(1000)->Arg(100'000);
BENCHMARK(hold_and_rank_again)->ArgName("live")->Arg(10)->Arg(1000)->Arg(100'000);
BENCHMARK(read_the_best_ten)->ArgName("live")->Arg(10)->Arg(1000)->Arg(100'000);

}  // namespace
}  // namespace tokenyard::bench
