// Attention over pages: decoding reads keys and values at nearly the rate at which the machine
// reads memory at all (measured here, in the same run), pages cost little beside one contiguous
// piece, and a prompt runs at a good part of the processor's arithmetic. Counters are of the
// fastest iteration.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <numeric>
#include <vector>

#include "engine/kernels/attention.hpp"
#include "engine/kernels/cpu_features.hpp"
#include "engine/kernels/huge_buffer.hpp"
#include "engine/kernels/workers.hpp"
#include "engine/kv_cache.hpp"
#include "sim/kernel/rng.hpp"

namespace tokenyard::bench {
namespace {

double seconds_of(const std::function<void()>& action) {
  const auto begin = std::chrono::steady_clock::now();
  action();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// The fastest of the iterations that the library asks for.
double best_seconds(benchmark::State& state, const std::function<void()>& action) {
  double best = 1e9;
  for (auto _ : state) {
    const double seconds = seconds_of(action);
    state.SetIterationTime(seconds);
    best = std::min(best, seconds);
  }
  return best;
}

/// The best rate at which `workers` threads together read `bytes` of memory from end to end.
double read_limit(std::size_t bytes, int threads) {
  static std::map<std::pair<std::size_t, int>, double> known;
  double& limit = known[{bytes, threads}];
  if (limit > 0) return limit;
  HugeBuffer memory(bytes);
  std::fill_n(memory.data(), bytes, std::byte{1});
  const auto* words = reinterpret_cast<const std::uint64_t*>(memory.data());
  Workers workers(threads);
  for (int repetition = 0; repetition < 30; ++repetition) {
    const double seconds = seconds_of([&] {
      workers.run([&](int worker, int count) {
        const Part part = part_of(static_cast<std::int64_t>(bytes / 8), worker, count);
        benchmark::DoNotOptimize(
            std::accumulate(words + part.begin, words + part.end, std::uint64_t{0}));
      });
    });
    limit = std::max(limit, static_cast<double>(bytes) / seconds);
  }
  return limit;
}

/// Sequences of equal length whose keys and values are in the cache, with queries for their last
/// tokens.
class Batch {
 public:
  Batch(const KvShape& shape, int heads, std::int64_t sequences, std::int64_t context,
        std::int64_t queries, bool shuffled)
      : cache_(shape, sequences * blocks_of(shape, context), 0),
        width_(heads * shape.head_dim),
        queries_(static_cast<std::size_t>(sequences * queries * width_), 0.5F),
        outputs_(queries_.size()) {
    const std::int64_t each = blocks_of(shape, context);
    blocks_.resize(static_cast<std::size_t>(sequences * each));
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
      blocks_[i] = BlockId{static_cast<std::uint32_t>(i)};
    }
    Rng rng(1);
    for (std::size_t i = blocks_.size(); shuffled && i > 1; --i) {
      std::swap(blocks_[i - 1], blocks_[rng() % i]);
    }
    for (float& value : queries_) value = static_cast<float>(rng() % 1000) / 500 - 1;
    fill(rng, sequences, context);
    std::vector<AttentionSequence> parts;
    for (std::int64_t s = 0; s < sequences; ++s) {
      parts.push_back({table(s, each), context - queries, queries, s * queries});
    }
    plan_ = std::make_unique<AttentionPlan>(cache_, heads, parts);
  }

  /// All layers, one after another.
  void attend_all(Workers& workers) {
    scratch_.resize(static_cast<std::size_t>(workers.count()));
    const auto rows = static_cast<std::int64_t>(queries_.size()) / width_;
    const AttentionArrays arrays{
        {queries_.data(), rows, width_}, {outputs_.data(), width_}, 0.125F, {}};
    for (std::int32_t layer = 0; layer < cache_.shape().layers; ++layer) {
      workers.run([&](int worker, int count) {
        attend(*plan_, layer, plan_->part_of(worker, count), arrays,
               scratch_[static_cast<std::size_t>(worker)]);
      });
    }
  }

 private:
  static std::int64_t blocks_of(const KvShape& shape, std::int64_t context) {
    return (context + shape.block_tokens - 1) / shape.block_tokens;
  }
  std::span<const BlockId> table(std::int64_t sequence, std::int64_t each) const {
    return std::span(blocks_).subspan(static_cast<std::size_t>(sequence * each),
                                      static_cast<std::size_t>(each));
  }
  void fill(Rng& rng, std::int64_t sequences, std::int64_t context) {
    const std::int64_t row = cache_.shape().kv_heads * cache_.shape().head_dim;
    std::vector<float> rows(static_cast<std::size_t>(context * row));
    for (float& value : rows) value = static_cast<float>(rng() % 1000) / 500 - 1;
    for (std::int64_t s = 0; s < sequences; ++s) {
      for (std::int32_t layer = 0; layer < cache_.shape().layers; ++layer) {
        cache_.write(layer, table(s, blocks_of(cache_.shape(), context)), 0, context,
                     {rows.data(), rows.data(), row});
      }
    }
  }

  KvCache cache_;
  std::int64_t width_;
  std::vector<float> queries_, outputs_;
  std::vector<BlockId> blocks_;
  std::vector<AttentionScratch> scratch_;
  std::unique_ptr<AttentionPlan> plan_;
};

/// A decode step of the GPT-2-like and of the grouped shape, from a working set larger than caches.
void decode(benchmark::State& state) {
  const bool bf16 = state.range(0) != 0;
  const auto block_tokens = static_cast<std::int32_t>(state.range(1));
  const bool shuffled = state.range(2) != 0;
  const auto group = static_cast<int>(state.range(3));
  const auto threads = static_cast<int>(state.range(4));
  const KvShape shape{.layers = 6,
                      .kv_heads = group == 1 ? 12 : 4,
                      .head_dim = 64,
                      .block_tokens = block_tokens,
                      .element = bf16 ? ElementType::bf16 : ElementType::f32};
  const std::int64_t sequences = (bf16 ? 64 : 32) * (group == 1 ? 1 : 3), context = 512;
  Batch batch(shape, shape.kv_heads * group, sequences, context, 1, shuffled);
  Workers workers(threads);
  const double seconds = best_seconds(state, [&] { batch.attend_all(workers); });
  const double bytes = static_cast<double>(sequences * context) *
                       static_cast<double>(shape.block_bytes() / shape.block_tokens);
  state.counters["GB/s"] = bytes / seconds / 1e9;
  state.counters["of_limit"] =
      bytes / seconds / read_limit(static_cast<std::size_t>(bytes), threads);
}

/// A prompt of `range(0)` tokens in one step; floating-point operations of the causal half.
void prefill(benchmark::State& state) {
  const std::int64_t tokens = state.range(0);
  const auto group = static_cast<int>(state.range(1));
  const bool bf16 = state.range(2) != 0;
  const CpuLevelCap cap(static_cast<CpuLevel>(state.range(3)));
  const KvShape shape{.layers = 1,
                      .kv_heads = 12 / group,
                      .head_dim = 64,
                      .block_tokens = 16,
                      .element = bf16 ? ElementType::bf16 : ElementType::f32};
  Batch batch(shape, 12, 1, tokens, tokens, true);
  Workers workers(1);
  const double seconds = best_seconds(state, [&] { batch.attend_all(workers); });
  const double pairs = static_cast<double>(tokens) * static_cast<double>(tokens + 1) / 2;
  state.counters["GFLOP/s"] = pairs * 12 * 4 * shape.head_dim / seconds / 1e9;
}

BENCHMARK(decode)
    ->ArgNames({"bf16", "block", "shuffled", "group", "threads"})
    ->ArgsProduct({{0, 1}, {8, 16, 32, 256}, {0, 1}, {1}, {2}})
    ->ArgsProduct({{0, 1}, {16}, {1}, {1, 8}, {1, 2}})
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK(prefill)
    ->ArgNames({"tokens", "group", "bf16", "level"})
    ->ArgsProduct({{512}, {1, 4}, {0, 1}, {2}})
    ->ArgsProduct({{128, 2048}, {1}, {0}, {2}})
    ->ArgsProduct({{512}, {1}, {0}, {0, 1}})
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tokenyard::bench
