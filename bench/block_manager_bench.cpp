// KV blocks: growing by one, a request's whole life, and sharing.

#include <benchmark/benchmark.h>

#include "sim/server/block_manager.hpp"

namespace tokenyard::bench {
namespace {

constexpr std::int64_t kPool = 100'000;
constexpr std::int64_t kBlockSize = 16;

/// One block more for each of 50 tables in turn; all are given back when the pool is empty.
void grow_by_one(benchmark::State& state) {
  BlockManager blocks(kPool, kBlockSize);
  std::vector<BlockTable> tables(50);
  std::size_t next = 0;
  for (auto _ : state) {
    BlockTable& table = tables[next];
    next = (next + 1) % tables.size();
    if (!blocks.grow(table, static_cast<std::int64_t>(table.size()) + 1)) {
      for (BlockTable& full : tables) blocks.release(full);
    }
  }
}

/// A prompt of n blocks comes and goes.
void take_and_release(benchmark::State& state) {
  BlockManager blocks(kPool, kBlockSize);
  BlockTable table;
  for (auto _ : state) {
    benchmark::DoNotOptimize(blocks.grow(table, state.range(0)));
    blocks.release(table);
  }
  state.counters["s/block"] = benchmark::Counter(
      static_cast<double>(state.range(0)) * static_cast<double>(state.iterations()),
      benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void fork_and_release(benchmark::State& state) {
  BlockManager blocks(kPool, kBlockSize);
  BlockTable table;
  blocks.grow(table, state.range(0));
  for (auto _ : state) {
    BlockTable shared = blocks.fork(table);
    blocks.release(shared);
  }
  blocks.release(table);
}

BENCHMARK(grow_by_one);
BENCHMARK(take_and_release)->ArgName("blocks")->Arg(1)->Arg(64)->Arg(4096);
BENCHMARK(fork_and_release)->ArgName("blocks")->Arg(64);

}  // namespace
}  // namespace tokenyard::bench
