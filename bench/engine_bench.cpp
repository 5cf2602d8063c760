// The forward pass beside what the machine allows, measured in the same run: a step of one token
// reads the weights at nearly the rate at which memory can be read at all, and one of many tokens
// takes little longer than its matrix products alone. Also what pages cost, and packing at the
// start. A step and its limit are timed by turns; `tokens/s` and `limit_tokens/s` are medians, and
// `of_limit`, the part of the limit, is the median of those of the pairs, because a shared
// machine's memory changes its speed, for some tenths of a second, by more than half.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/kernels/huge_buffer.hpp"
#include "engine/kernels/packed_matrix.hpp"
#include "engine/kernels/workers.hpp"
#include "engine/kv_cache.hpp"
#include "engine/transformer.hpp"
#include "engine/weights/model_weights.hpp"
#include "sim/kernel/rng.hpp"

namespace tokenyard::bench {
namespace {

constexpr int kThreads = 2;
constexpr std::int32_t kContext = 160;

double seconds_of(const std::function<void()>& action) {
  const auto begin = std::chrono::steady_clock::now();
  action();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// A model in one tier. The one asked for last is kept, since loading takes longer than measuring.
struct Model {
  Model(const std::string& source, GemmKind kind)
      : weights(load_weights(source)), workers(kThreads), transformer(weights, kind, workers) {}

  ModelWeights weights;
  Workers workers;
  Transformer transformer;
};

Model& model_of(const std::string& source, GemmKind kind) {
  static std::string kept;
  static std::unique_ptr<Model> model;
  const std::string name = source + " " + std::string(gemm_kind_name(kind));
  if (name != kept) {
    model.reset();
    model = std::make_unique<Model>(source, kind);
    kept = name;
  }
  return *model;
}

/// Sequences of `context` tokens whose keys and values are in the cache, but for the last `fresh`
/// tokens.
class Batch {
 public:
  Batch(const KvShape& shape, std::int64_t sequences, std::int64_t context, std::int64_t fresh,
        bool shuffled)
      : cache_(shape, sequences * ((context + shape.block_tokens - 1) / shape.block_tokens), 0),
        blocks_(static_cast<std::size_t>(cache_.device_blocks())),
        tokens_(static_cast<std::size_t>(fresh)) {
    Rng rng(1);
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
      blocks_[i] = BlockId{static_cast<std::uint32_t>(i)};
    }
    for (std::size_t i = blocks_.size(); shuffled && i > 1; --i) {
      std::swap(blocks_[i - 1], blocks_[rng() % i]);
    }
    for (Token& token : tokens_) token = static_cast<Token>(rng() % 32000);
    const std::size_t each = blocks_.size() / static_cast<std::size_t>(sequences);
    for (std::int64_t s = 0; s < sequences; ++s) {
      step_.push_back({tokens_, context - fresh,
                       std::span(blocks_).subspan(static_cast<std::size_t>(s) * each, each), true});
    }
    fill(rng, context);
  }

  double seconds(Transformer& transformer) {
    return seconds_of([&] { benchmark::DoNotOptimize(transformer.forward(step_, cache_)); });
  }

 private:
  void fill(Rng& rng, std::int64_t context) {
    const KvShape& shape = cache_.shape();
    const std::int64_t columns = std::int64_t{shape.kv_heads} * shape.head_dim;
    std::vector<float> rows(static_cast<std::size_t>(context * columns));
    for (float& value : rows) value = static_cast<float>(rng() % 1000) / 500 - 1;
    for (const StepSequence& sequence : step_) {
      for (std::int32_t layer = 0; layer < shape.layers; ++layer) {
        cache_.write(layer, sequence.blocks, 0, context, {rows.data(), rows.data(), columns});
      }
    }
  }

  KvCache cache_;
  std::vector<BlockId> blocks_;
  std::vector<Token> tokens_;
  std::vector<StepSequence> step_;
};

/// The matrix products of a step and nothing else.
class Products {
 public:
  Products(Model& model, std::int64_t rows, std::int64_t head_rows)
      : model_(model), rows_(rows), head_rows_(head_rows) {
    std::int64_t columns = model.weights.config.hidden, outputs = 0;
    for (const PackedLayer& layer : model.transformer.layers()) {
      columns = std::max(columns, layer.down.columns());
      outputs = std::max({outputs, layer.up.rows(), layer.query_key_value.rows()});
    }
    x_.assign(static_cast<std::size_t>(rows * columns), 0.5F);
    y_.resize(static_cast<std::size_t>(
        std::max(rows * outputs, head_rows * model.transformer.head().rows())));
  }

  double seconds() {
    return seconds_of([&] {
      for (const PackedLayer& layer : model_.transformer.layers()) {
        for (const PackedMatrix* matrix :
             {&layer.query_key_value, &layer.output, &layer.up, &layer.down}) {
          one(*matrix, rows_);
        }
      }
      one(model_.transformer.head(), head_rows_);
    });
  }

 private:
  void one(const PackedMatrix& matrix, std::int64_t rows) {
    multiply(matrix, {x_.data(), rows, matrix.columns()}, {y_.data(), matrix.rows()},
             model_.workers);
  }

  Model& model_;
  std::int64_t rows_;
  std::int64_t head_rows_;
  std::vector<float> x_, y_;
};

std::uint64_t sum(std::span<const std::uint64_t> words) {
  return std::accumulate(words.begin(), words.end(), std::uint64_t{0});
}

/// Asks for memory well before it is needed, which most CPUs reward.
std::uint64_t sum_fetching_ahead(std::span<const std::uint64_t> words) {
  constexpr std::size_t kLine = 8, kAhead = 24 * kLine;
  std::uint64_t sums[kLine] = {};
  for (std::size_t i = 0; i + kLine <= words.size(); i += kLine) {
    __builtin_prefetch(words.data() + i + kAhead, 0, 2);
    for (std::size_t k = 0; k < kLine; ++k) sums[k] += words[i + k];
  }
  return sum(sums);
}

/// Reads `bytes` of memory from end to end, in two ways, of which the faster counts.
class Reading {
 public:
  explicit Reading(std::size_t bytes) : memory_(bytes) {
    std::fill_n(memory_.data(), bytes, std::byte{1});
  }

  double seconds(Workers& workers) {
    const std::span words(reinterpret_cast<const std::uint64_t*>(memory_.data()),
                          memory_.bytes() / 8);
    const auto by = [&](const auto& add) {
      return seconds_of([&] {
        workers.run([&](int worker, int count) {
          const Part part = part_of(static_cast<std::int64_t>(words.size()), worker, count);
          const auto mine = words.subspan(static_cast<std::size_t>(part.begin),
                                          static_cast<std::size_t>(part.end - part.begin));
          benchmark::DoNotOptimize(add(mine));
        });
      });
    };
    return std::min(by(sum), by(sum_fetching_ahead));
  }

 private:
  HugeBuffer memory_;
};

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

/// Takes turns, so that what else the machine does falls on both.
class Race {
 public:
  void run(benchmark::State& state, const std::function<double()>& take_step,
           const std::function<double()>& take_limit) {
    for (auto _ : state) {
      steps_.push_back(take_step());
      state.SetIterationTime(steps_.back());
      limits_.push_back(take_limit());
      shares_.push_back(limits_.back() / steps_.back());
    }
  }
  void report(benchmark::State& state, std::int64_t tokens) const {
    state.counters["tokens/s"] = static_cast<double>(tokens) / median(steps_);
    state.counters["limit_tokens/s"] = static_cast<double>(tokens) / median(limits_);
    state.counters["of_limit"] = median(shares_);
  }

 private:
  std::vector<double> steps_, limits_, shares_;
};

bool available(benchmark::State& state, GemmKind kind) {
  if (!gemm_available(kind)) state.SkipWithError("this CPU has no kernel for it");
  return gemm_available(kind);
}

/// The part of its limit that a decode step is to reach. Products of bf16 by bf16 are so fast that
/// reading the cache, and what goes on beside them, weigh more.
double required_share(GemmKind kind, std::int64_t batch) {
  const bool fast = kind == GemmKind::bf16_dot;
  if (batch == 1) return 0.85;
  if (batch <= 8) return fast ? 0.55 : 0.75;
  return batch <= 32 ? (fast ? 0.45 : 0.70) : (fast ? 0.40 : 0.65);
}

/// A step of one token for each of `batch` sequences. The limit of one is reading the weights, that
/// of several the products.
void decode(benchmark::State& state, const std::string& source, GemmKind kind, ElementType element,
            std::int64_t batch) {
  if (!available(state, kind)) return;
  Model& model = model_of(source, kind);
  KvShape shape = model.transformer.kv_shape(16);
  shape.element = element;
  Batch sequences(shape, batch, kContext, 1, true);
  Race race;
  const auto step = [&] { return sequences.seconds(model.transformer); };
  if (batch == 1) {
    Reading reading(model.transformer.weight_bytes());
    race.run(state, step, [&] { return reading.seconds(model.workers); });
  } else {
    Products products(model, batch, batch);
    race.run(state, step, [&] { return products.seconds(); });
  }
  race.report(state, batch);
  state.counters["required"] = required_share(kind, batch);
}

/// A prompt in one step. The limit is its products.
void prompt(benchmark::State& state, const std::string& source, GemmKind kind,
            std::int64_t tokens) {
  if (!available(state, kind)) return;
  Model& model = model_of(source, kind);
  Batch sequences(model.transformer.kv_shape(16), 1, tokens, tokens, true);
  Products products(model, tokens, 1);
  Race race;
  race.run(
      state, [&] { return sequences.seconds(model.transformer); },
      [&] { return products.seconds(); });
  race.report(state, tokens);
}

/// Decoding with blocks of 16 tokens anywhere; the limit is a single block a sequence.
void paged(benchmark::State& state, const std::string& source, GemmKind kind, std::int64_t batch) {
  if (!available(state, kind)) return;
  Model& model = model_of(source, kind);
  Batch pages(model.transformer.kv_shape(16), batch, kContext, 1, true);
  Batch pieces(model.transformer.kv_shape(kContext), batch, kContext, 1, false);
  Race race;
  race.run(
      state, [&] { return pages.seconds(model.transformer); },
      [&] { return pieces.seconds(model.transformer); });
  race.report(state, batch);
}

/// Packing a checkpoint that lies in memory; the limit is reading it.
void start_up(benchmark::State& state, const std::string& source, GemmKind kind) {
  if (!available(state, kind)) return;
  const ModelWeights weights = load_weights(source);
  Workers workers(kThreads);
  double best = 1e9;
  std::size_t bytes = 0;
  for (auto _ : state) {
    std::unique_ptr<Transformer> made;
    const double seconds =
        seconds_of([&] { made = std::make_unique<Transformer>(weights, kind, workers); });
    state.SetIterationTime(seconds);
    best = std::min(best, seconds);
    bytes = made->weight_bytes();
  }
  state.counters["seconds"] = best;
  state.counters["packed_GB/s"] = static_cast<double>(bytes) / best / 1e9;
}

const bool registered = [] {
  const auto add = [](const std::string& name, auto run) {
    benchmark::RegisterBenchmark(name.c_str(), run)->UseManualTime()->Unit(benchmark::kMillisecond);
  };
  const auto add_model = [&](const std::string& name, GemmKind kind) {
    const std::string source = "random:" + name;
    const auto add_decode = [&](const std::string& tier, ElementType element) {
      for (const std::int64_t batch : {1, 8, 32, 64}) {
        add("decode/" + name + "/" + tier + "/" + std::to_string(batch),
            [=](benchmark::State& state) { decode(state, source, kind, element, batch); });
      }
    };
    const std::string tier(gemm_kind_name(kind));
    const std::string of = "/" + name + "/" + tier;
    add_decode(tier, kind == GemmKind::f32 ? ElementType::f32 : ElementType::bf16);
    if (kind == GemmKind::f32) add_decode(tier + ", KV bf16", ElementType::bf16);
    add("prompt" + of + "/512", [=](benchmark::State& state) { prompt(state, source, kind, 512); });
    add("paged" + of + "/32", [=](benchmark::State& state) { paged(state, source, kind, 32); });
  };
  for (const GemmKind kind : {GemmKind::f32, GemmKind::bf16, GemmKind::bf16_dot}) {
    add_model("llama-134m", kind);
    const std::string of = "/llama-134m/" + std::string(gemm_kind_name(kind));
    add("start_up" + of,
        [=](benchmark::State& state) { start_up(state, "random:llama-134m,dtype=bf16", kind); });
  }
  for (const GemmKind kind : {GemmKind::bf16, GemmKind::bf16_dot}) add_model("llama-1.1b", kind);
  return true;
}();

}  // namespace
}  // namespace tokenyard::bench
