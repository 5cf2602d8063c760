// A row's product has the same bits whatever batch it is in and however many threads there are.

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/engine/gemm_cases.hpp"

namespace tokenyard {
namespace {

// Large enough for several panels a worker, and with a tail in every dimension.
constexpr std::int64_t kOutputs = 417;
constexpr std::int64_t kInputs = 333;

/// Multiplies rows of kInputs, on some number of threads.
using Multiply = std::function<std::vector<float>(const std::vector<float>& x, int threads)>;

/// What in the results depends on more than the row; "" where nothing does.
std::string variance_of(const Multiply& multiply_rows, std::int64_t outputs) {
  const auto x = random_floats("rows", 130 * kInputs);
  std::vector<std::vector<float>> alone;
  for (std::int64_t row = 0; row < 130; ++row) {
    alone.push_back(multiply_rows(row_of(x, row, kInputs), 1));
  }
  for (const int threads : {1, 2, 3}) {
    for (const std::int64_t rows : {1, 2, 3, 7, 8, 9, 16, 17, 31, 32, 33, 64, 65, 130}) {
      const auto y = multiply_rows({x.begin(), x.begin() + rows * kInputs}, threads);
      for (std::int64_t row = 0; row < rows; ++row) {
        if (!same_bits(row_of(y, row, outputs), alone[static_cast<std::size_t>(row)])) {
          return "row " + std::to_string(row) + " of " + std::to_string(rows) + " on " +
                 std::to_string(threads) + " threads";
        }
      }
    }
    // The same row at every place of a batch.
    std::vector<float> same;
    for (int row = 0; row < 37; ++row) same.insert(same.end(), x.begin(), x.begin() + kInputs);
    const auto y = multiply_rows(same, threads);
    for (std::int64_t row = 0; row < 37; ++row) {
      if (!same_bits(row_of(y, row, outputs), alone[0])) {
        return "place " + std::to_string(row) + " on " + std::to_string(threads) + " threads";
      }
    }
  }
  return "";
}

class BatchInvariance : public ::testing::TestWithParam<GemmTier> {};

INSTANTIATE_TEST_SUITE_P(Tiers, BatchInvariance, ::testing::ValuesIn(gemm_tiers()),
                         [](const auto& tier) { return tier.param.name(); });

// Would catch: a kernel that adds in another order by the number of rows, the row's place or the
// threads, for instance one of its own for a single row, or sums that are split between threads.
TEST_P(BatchInvariance, EveryRowIsAsIfAlone) {
  if (!GetParam().runs_here()) GTEST_SKIP() << "this CPU has no " << GetParam().name();
  const CpuLevelCap cap(GetParam().level);
  Workers one(1), two(2), three(3);
  const std::vector<Workers*> crews{nullptr, &one, &two, &three};
  const auto w = random_floats("weights", kOutputs * kInputs);
  std::vector<PackedMatrix> packed_by;
  packed_by.emplace_back();
  for (std::size_t threads = 1; threads <= 3; ++threads) {
    packed_by.emplace_back(view_of(w, kOutputs, kInputs), GetParam().kind, *crews[threads]);
  }
  EXPECT_EQ(variance_of(
                [&](const std::vector<float>& x, int threads) {
                  const auto crew = static_cast<std::size_t>(threads);
                  return product(packed_by[crew], x, *crews[crew]);
                },
                kOutputs),
            "");
}

constexpr std::int64_t kFewOutputs = 9;

/// A product in f32 whose sums are cut into `parts(rows, threads)` parts, added in the end.
Multiply split_sums(const std::vector<float>& w,
                    std::function<std::int64_t(std::int64_t, int)> parts) {
  return [&w, parts](const std::vector<float>& x, int threads) {
    const auto rows = static_cast<std::int64_t>(x.size()) / kInputs;
    const std::int64_t cuts = parts(rows, threads);
    std::vector<float> y(static_cast<std::size_t>(rows * kFewOutputs));
    for (std::int64_t m = 0; m < rows; ++m) {
      for (std::int64_t n = 0; n < kFewOutputs; ++n) {
        float& sum = y[m * kFewOutputs + n];
        for (std::int64_t cut = 0; cut < cuts; ++cut) {
          float part = 0;
          for (std::int64_t k = cut * kInputs / cuts; k < (cut + 1) * kInputs / cuts; ++k) {
            part += x[m * kInputs + k] * w[n * kInputs + k];
          }
          sum += part;
        }
      }
    }
    return y;
  };
}

// Would catch: a check that sees nothing. One sum an output passes; sums split by the number of
// rows, or of threads, do not.
TEST(BatchInvarianceCheck, SeesSumsThatAreSplit) {
  const auto w = random_floats("weights", kFewOutputs * kInputs);
  EXPECT_EQ(variance_of(split_sums(w, [](auto, auto) { return 1; }), kFewOutputs), "");
  EXPECT_EQ(
      variance_of(split_sums(w, [](auto rows, auto) { return rows == 1 ? 2 : 1; }), kFewOutputs),
      "row 0 of 2 on 1 threads");
  EXPECT_EQ(
      variance_of(split_sums(w, [](auto rows, auto) { return rows >= 65 ? 2 : 1; }), kFewOutputs),
      "row 0 of 65 on 1 threads");
  EXPECT_EQ(variance_of(split_sums(w, [](auto, int threads) { return threads; }), kFewOutputs),
            "row 0 of 1 on 2 threads");
}

}  // namespace
}  // namespace tokenyard
