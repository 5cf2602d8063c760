// Products by packed matrices against what the machine could do: reading the weights once from
// where they lie, and multiply-adds in registers. Matrices are gone through one after another, so
// that they come from the L3 cache (or from memory, where it is smaller), as in a forward pass; the
// best time of one product counts, since a shared machine is often busy with something else.
//
// limit_GB/s and limit_GFLOP/s are measured in the same run, on as many threads and, for reading,
// on the same weights; of_limit is the time that the slower of both would take over the time taken.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "engine/kernels/cpu_features.hpp"
#include "engine/kernels/huge_buffer.hpp"
#include "engine/kernels/packed_matrix.hpp"
#include "engine/kernels/workers.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace tokenyard::bench {
namespace {

constexpr std::size_t kSetBytes = 48'000'000;  // of all copies of a matrix
constexpr double kGiga = 1e9;

/// The least time in seconds of `action`, called `repeats` times.
template <typename Action>
double best_seconds(int repeats, const Action& action) {
  double best = 1e9;
  for (int i = 0; i < repeats; ++i) {
    const auto start = std::chrono::steady_clock::now();
    action(i);
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    best = std::min(best, taken.count());
  }
  return best;
}

// What follows is for the CPU's widest vectors, chosen by `cpu_level()`; each function returns the
// operations that it did.

constexpr int kChains = 12;  // sums that do not wait for one another
constexpr int kRounds = 20'000;

#if defined(__x86_64__)

__attribute__((target("avx512f"))) double multiply_add_avx512() {
  __m512 sums[kChains] = {}, a = _mm512_set1_ps(0.5F), b = _mm512_set1_ps(0.25F);
  for (int i = 0; i < kRounds; ++i) {
#pragma GCC unroll 12
    for (__m512& sum : sums) {
      sum = _mm512_fmadd_ps(a, b, sum);
      __asm__ volatile("" : "+v"(sum));
    }
  }
  return 2.0 * 16 * kChains * kRounds;
}

__attribute__((target("avx512f,avx512bf16"))) double multiply_add_pairs() {
  __m512 sums[kChains] = {};
  const auto a = (__m512bh)_mm512_set1_epi16(0x3f00);
  for (int i = 0; i < kRounds; ++i) {
#pragma GCC unroll 12
    for (__m512& sum : sums) {
      sum = _mm512_dpbf16_ps(sum, a, a);
      __asm__ volatile("" : "+v"(sum));
    }
  }
  return 4.0 * 16 * kChains * kRounds;
}

__attribute__((target("avx2,fma"))) double multiply_add_avx2() {
  __m256 sums[kChains] = {}, a = _mm256_set1_ps(0.5F), b = _mm256_set1_ps(0.25F);
  for (int i = 0; i < kRounds; ++i) {
#pragma GCC unroll 12
    for (__m256& sum : sums) {
      sum = _mm256_fmadd_ps(a, b, sum);
      __asm__ volatile("" : "+x"(sum));
    }
  }
  return 2.0 * 8 * kChains * kRounds;
}

__attribute__((target("amx-tile,amx-bf16"))) double multiply_add_amx() {
  alignas(64) static const struct {
    std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
    std::uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
    std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
  } config;
  _tile_loadconfig(&config);
  for (int i = 0; i < kRounds; ++i) {
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  _tile_release();
  return 4.0 * 2 * 16 * 16 * 32 * kRounds;
}

__attribute__((target("avx512f"))) void read_avx512(const std::byte* from, std::int64_t bytes) {
  __m512i sums[8] = {};
  for (std::int64_t at = 0; at + 512 <= bytes; at += 512) {
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) {
      sums[i] = _mm512_add_epi64(sums[i], _mm512_loadu_si512(from + at + 64 * i));
    }
  }
  for (__m512i& sum : sums) __asm__ volatile("" : : "v"(sum));
}

#endif

double multiply_add_baseline() {
  using Vector = float __attribute__((vector_size(16)));
  Vector sums[kChains] = {};
  const Vector a = Vector{} + 0.5F, b = Vector{} + 0.25F;
  for (int i = 0; i < kRounds; ++i) {
#pragma GCC unroll 12
    for (Vector& sum : sums) {
      sum = sum + a * b;
      benchmark::DoNotOptimize(sum);
    }
  }
  return 2.0 * 4 * kChains * kRounds;
}

double multiply_add(GemmKind kind) {
#if defined(__x86_64__)
  if (kind == GemmKind::bf16_dot) {
    return cpu_level() >= CpuLevel::amx_bf16 ? multiply_add_amx() : multiply_add_pairs();
  }
  if (cpu_level() >= CpuLevel::avx512) return multiply_add_avx512();
  if (cpu_level() >= CpuLevel::avx2) return multiply_add_avx2();
#endif
  return multiply_add_baseline();
}

void read(const std::byte* from, std::int64_t bytes) {
#if defined(__x86_64__)
  if (cpu_level() >= CpuLevel::avx512) return read_avx512(from, bytes);
#endif
  std::uint64_t sums[8] = {}, words[8];
  for (std::int64_t at = 0; at + 64 <= bytes; at += 64) {
    std::memcpy(words, from + at, sizeof words);
    for (int i = 0; i < 8; ++i) sums[i] += words[i];
  }
  benchmark::DoNotOptimize(sums);
}

/// Operations a second of all workers in registers, measured once.
double limit_of_flops(GemmKind kind, Workers& workers) {
  static std::map<std::pair<GemmKind, int>, double> measured;
  double& limit = measured[{kind, workers.count()}];
  if (limit == 0) {
    double operations = 0;
    const double seconds = best_seconds(50, [&](int) {
      workers.run([&](int worker, int) {
        const double done = multiply_add(kind);
        if (worker == 0) operations = done;
      });
    });
    limit = operations * workers.count() / seconds;
  }
  return limit;
}

/// Copies of one matrix, kept from one benchmark to the next of the same matrix.
struct Copies {
  std::vector<std::int64_t> key;
  std::unique_ptr<Workers> workers;
  std::vector<PackedMatrix> matrices;
  HugeBuffer same_size;  ///< for measuring reads
};

const Copies& copies_of(GemmKind kind, std::int64_t rows, std::int64_t columns, int threads) {
  static Copies copies;
  const std::vector<std::int64_t> key{static_cast<std::int64_t>(kind), rows, columns, threads};
  if (copies.key == key) return copies;
  copies = {};
  copies.key = key;
  copies.workers = std::make_unique<Workers>(threads);
  const std::vector<float> weights(static_cast<std::size_t>(rows * columns), 0.01F);
  const auto view = TensorView::plain(reinterpret_cast<const std::byte*>(weights.data()),
                                      ElementType::f32, rows, columns);
  do {
    copies.matrices.emplace_back(view, kind, *copies.workers);
  } while (copies.matrices.size() * copies.matrices[0].bytes() < kSetBytes);
  copies.same_size = HugeBuffer(copies.matrices.size() * copies.matrices[0].bytes());
  std::memset(copies.same_size.data(), 1, copies.same_size.bytes());
  return copies;
}

void product(benchmark::State& state, GemmKind kind) {
  const std::int64_t n = state.range(0), k = state.range(1), m = state.range(2);
  if (!gemm_available(kind)) {
    state.SkipWithError("this CPU has no kernel for it");
    return;
  }
  const Copies& copies = copies_of(kind, n, k, static_cast<int>(state.range(3)));
  Workers& workers = *copies.workers;
  const auto count = static_cast<int>(copies.matrices.size());
  const std::size_t bytes = copies.matrices[0].bytes();
  const std::vector<float> x(static_cast<std::size_t>(m * k), 0.5F);
  std::vector<float> y(static_cast<std::size_t>(m * n));
  double taken = 1e9, reading = 1e9;
  for (auto _ : state) {  // all copies once
    taken = std::min(taken, best_seconds(count, [&](int i) {
                       multiply(copies.matrices[static_cast<std::size_t>(i)], {x.data(), m, k},
                                {y.data(), n}, workers);
                     }));
    reading = std::min(
        reading, best_seconds(count, [&](int i) {
          const std::byte* from = copies.same_size.data() + static_cast<std::size_t>(i) * bytes;
          workers.run([&](int worker, int of) {
            const Part part = part_of(static_cast<std::int64_t>(bytes / 64), worker, of);
            read(from + part.begin * 64, (part.end - part.begin) * 64);
          });
        }));
    state.SetIterationTime(taken);
  }
  const double flops = 2.0 * static_cast<double>(n * k * m);
  const double limit = limit_of_flops(kind, workers);
  state.counters["GFLOP/s"] = flops / taken / kGiga;
  state.counters["limit_GFLOP/s"] = limit / kGiga;
  state.counters["GB/s"] = static_cast<double>(bytes) / taken / kGiga;
  state.counters["limit_GB/s"] = static_cast<double>(bytes) / reading / kGiga;
  state.counters["of_limit"] = std::max(flops / limit, reading) / taken;
}

/// A square matrix, and those of a Llama-like model of 134 million parameters: query, key and
/// value; output; gate and up; down; the head.
void cases(benchmark::internal::Benchmark* benchmark) {
  const int all = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  benchmark->ArgNames({"outputs", "inputs", "rows", "threads"})->UseManualTime()->MinTime(0.02);
  for (const auto& [n, k] : {std::pair{2048, 2048}, std::pair{2304, 768}, std::pair{768, 768},
                             std::pair{4096, 768}, std::pair{768, 2048}, std::pair{32000, 768}}) {
    for (const int m : {1, 8, 32, 64, 512}) benchmark->Args({n, k, m, all});
  }
  for (const int m : {1, 8, 32, 64}) benchmark->Args({2048, 2048, m, 1});
}

BENCHMARK_CAPTURE(product, f32, GemmKind::f32)->Apply(cases);
BENCHMARK_CAPTURE(product, bf16, GemmKind::bf16)->Apply(cases);
BENCHMARK_CAPTURE(product, bf16_dot, GemmKind::bf16_dot)->Apply(cases);

}  // namespace
}  // namespace tokenyard::bench
