// KV blocks: what each operation costs a block, in pools of a thousand to four million blocks that
// have all been used. The counter s/block must not grow with the pool but by what a block in no
// cache of the processor costs.

#include <benchmark/benchmark.h>

#include "sim/kernel/rng.hpp"
#include "sim/server/block_manager.hpp"

namespace tokenyard::bench {
namespace {

constexpr std::int64_t kBlockSize = 16;
constexpr std::int64_t kPrompt = 64;  // blocks

void count_blocks(benchmark::State& state, std::int64_t blocks_an_iteration) {
  state.counters["s/block"] = benchmark::Counter(
      static_cast<double>(blocks_an_iteration) * static_cast<double>(state.iterations()),
      benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

/// The contents of the prompt with this number.
void name_prompt(std::uint64_t number, std::vector<BlockHash>& contents) {
  BlockHash hash = chain(kNoHash, number);
  for (BlockHash& content : contents) content = hash = chain(hash, 0);
}

/// A pool in which prompts came, had their contents named, and went, until every block was used.
struct Pool {
  explicit Pool(std::int64_t total, bool named = true)
      : blocks(total, kBlockSize), contents(kPrompt) {
    std::vector<BlockTable> tables;
    for (; prompts < static_cast<std::uint64_t>(total / kPrompt); ++prompts) {
      blocks.grow(tables.emplace_back(), kPrompt);
      if (named) seal(tables.back(), prompts);
    }
    for (BlockTable& table : tables) blocks.release(table);
  }
  void seal(const BlockTable& table, std::uint64_t prompt) {
    name_prompt(prompt, contents);
    for (std::size_t i = 0; i < table.size(); ++i) blocks.seal(table[i], contents[i]);
  }
  BlockManager blocks;
  std::vector<BlockHash> contents;
  std::uint64_t prompts = 0;
};

/// One block more for each of 50 tables in turn; all are given back when the pool is empty.
void grow_by_one(benchmark::State& state) {
  Pool pool(state.range(0), false);
  std::vector<BlockTable> tables(50);
  std::size_t next = 0;
  for (auto _ : state) {
    BlockTable& table = tables[next];
    next = (next + 1) % tables.size();
    if (!pool.blocks.grow(table, static_cast<std::int64_t>(table.size()) + 1)) {
      for (BlockTable& full : tables) pool.blocks.release(full);
    }
  }
  count_blocks(state, 1);
}

/// A prompt of n blocks comes and goes; nothing is named.
void take_and_release(benchmark::State& state) {
  Pool pool(state.range(0), false);
  BlockTable table;
  for (auto _ : state) {
    benchmark::DoNotOptimize(pool.blocks.grow(table, state.range(1)));
    pool.blocks.release(table);
  }
  count_blocks(state, state.range(1));
}

/// A new prompt comes, its contents are named, and it goes: the contents of the blocks that have
/// been free for the longest are forgotten for it.
void take_seal_and_release(benchmark::State& state) {
  Pool pool(state.range(0));
  BlockTable table;
  for (auto _ : state) {
    pool.blocks.grow(table, kPrompt);
    pool.seal(table, pool.prompts++);
    pool.blocks.release(table);
  }
  count_blocks(state, kPrompt);
}

/// Looks up a prompt whose blocks are all known, drawn at random.
void find_prefix(benchmark::State& state) {
  Pool pool(state.range(0));
  Rng rng{1};
  std::vector<BlockId> found;
  for (auto _ : state) {
    name_prompt(rng() % pool.prompts, pool.contents);
    pool.blocks.find_prefix(pool.contents, found);
    benchmark::DoNotOptimize(found.data());
  }
  count_blocks(state, kPrompt);
}

/// Looks it up, takes its blocks out of the middle of the free ones, and gives them back.
void find_start_and_release(benchmark::State& state) {
  Pool pool(state.range(0));
  Rng rng{1};
  std::vector<BlockId> found;
  BlockTable table;
  for (auto _ : state) {
    name_prompt(rng() % pool.prompts, pool.contents);
    pool.blocks.find_prefix(pool.contents, found);
    pool.blocks.start(table, found, kPrompt);
    pool.blocks.release(table);
  }
  count_blocks(state, kPrompt);
}

/// A second sequence shares all blocks of a prompt, copies the last to write it, and goes.
void fork_copy_and_release(benchmark::State& state) {
  Pool pool(state.range(0));
  BlockTable table;
  pool.blocks.grow(table, kPrompt);
  for (auto _ : state) {
    BlockTable second = pool.blocks.fork(table);
    benchmark::DoNotOptimize(pool.blocks.make_writable(second, second.size() - 1));
    pool.blocks.release(second);
  }
  count_blocks(state, kPrompt);
}

/// n prompts of the same contents, computed side by side, come, are named and go: each block has
/// n - 1 twins.
void take_seal_and_release_twins(benchmark::State& state) {
  Pool pool(4'000'000, false);
  std::vector<BlockTable> tables(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    for (BlockTable& table : tables) pool.blocks.grow(table, kPrompt);
    for (BlockTable& table : tables) pool.seal(table, 0);
    for (BlockTable& table : tables) pool.blocks.release(table);
    pool.blocks.forget_contents();
  }
  count_blocks(state, kPrompt * state.range(0));
}

void pools(benchmark::internal::Benchmark* bench) {
  bench->ArgName("pool")->Arg(1'000)->Arg(100'000)->Arg(4'000'000);
}

BENCHMARK(grow_by_one)->Apply(pools);
BENCHMARK(take_and_release)
    ->ArgNames({"pool", "blocks"})
    ->ArgsProduct({{1'000, 100'000, 4'000'000}, {1, 64}})
    ->Args({100'000, 4096});
BENCHMARK(take_seal_and_release)->Apply(pools);
BENCHMARK(find_prefix)->Apply(pools);
BENCHMARK(find_start_and_release)->Apply(pools);
BENCHMARK(fork_copy_and_release)->Apply(pools);
BENCHMARK(take_seal_and_release_twins)->ArgName("twins")->Arg(1)->Arg(100)->Arg(1'000)->Arg(10'000);

}  // namespace
}  // namespace tokenyard::bench
