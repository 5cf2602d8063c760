#include "engine/kernels/packed_matrix.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "engine/kernels/bf16.hpp"
#include "sim/kernel/invariant.hpp"
#include "tests/engine/gemm_cases.hpp"

namespace tokenyard {
namespace {

std::vector<float> rounded(std::vector<float> values) {
  for (float& value : values) value = widen_bf16(round_to_bf16(value));
  return values;
}

/// The tests of each kernel, on the CPU for which it would be chosen.
class EachGemm : public ::testing::TestWithParam<GemmTier> {
 protected:
  void SetUp() override {
    if (!GetParam().runs_here()) GTEST_SKIP() << "this CPU has no " << GetParam().name();
    cap_ = std::make_unique<CpuLevelCap>(GetParam().level);
  }

  GemmKind kind() const { return GetParam().kind; }
  PackedMatrix packed(const std::vector<float>& values, std::int64_t rows, std::int64_t columns) {
    return {view_of(values, rows, columns), kind(), workers_};
  }
  /// What the kernel multiplies, given these.
  std::vector<float> weights_of(const std::vector<float>& w) const {
    return kind() == GemmKind::f32 ? w : rounded(w);
  }
  std::vector<float> inputs_of(const std::vector<float>& x) const {
    return kind() == GemmKind::bf16_dot ? rounded(x) : x;
  }

  Workers workers_{2};

 private:
  std::unique_ptr<CpuLevelCap> cap_;
};

INSTANTIATE_TEST_SUITE_P(Tiers, EachGemm, ::testing::ValuesIn(gemm_tiers()),
                         [](const auto& tier) { return tier.param.name(); });

/// Whether y is X W^T up to the error of a sum of K products in f32, whatever their order:
/// (K + 1) u times the sum of their sizes, u = 2^-24 (Higham, Accuracy and Stability of Numerical
/// Algorithms, section 3.1). The factors themselves are exact in every format once rounded to it.
std::string error_of(const std::vector<float>& y, const std::vector<float>& x,
                     const std::vector<float>& w, std::size_t rows, std::size_t columns) {
  for (std::size_t m = 0; m * columns < x.size(); ++m) {
    for (std::size_t n = 0; n < rows; ++n) {
      double sum = 0, sizes = 0;
      for (std::size_t k = 0; k < columns; ++k) {
        const double term = static_cast<double>(x[m * columns + k]) * w[n * columns + k];
        sum += term;
        sizes += std::abs(term);
      }
      const double found = y[m * rows + n];
      if (!(std::abs(found - sum) <= static_cast<double>(columns + 1) * 0x1p-24 * sizes)) {
        return "row " + std::to_string(m) + ", output " + std::to_string(n) + ": " +
               std::to_string(found) + " instead of " + std::to_string(sum);
      }
    }
  }
  return "";
}

// Would catch: wrong sums, and tails of panels, tiles and vectors that are left out, counted twice
// or written beyond the row.
TEST_P(EachGemm, MultipliesMatricesOfOddShapes) {
  constexpr float kUntouched = 12345.0F;
  for (const std::int64_t n : {1, 3, 17, 31, 33, 130}) {
    for (const std::int64_t k : {1, 3, 17, 31, 33, 130}) {
      const auto w = random_floats("weights", n * k);
      const PackedMatrix matrix = packed(w, n, k);
      for (const std::int64_t m : {1, 3, 17, 31, 33, 130}) {
        const auto x = random_floats("inputs", m * k);
        std::vector<float> wide(static_cast<std::size_t>(m * (n + 2)), kUntouched);
        multiply(matrix, {x.data(), m, k}, {wide.data(), n + 2}, workers_);
        std::vector<float> y;
        for (std::int64_t row = 0; row < m; ++row) {
          for (std::int64_t i = 0; i < n; ++i) y.push_back(wide[row * (n + 2) + i]);
          ASSERT_EQ(wide[row * (n + 2) + n], kUntouched);
          ASSERT_EQ(wide[row * (n + 2) + n + 1], kUntouched);
        }
        ASSERT_EQ(error_of(y, inputs_of(x), weights_of(w), n, k), "")
            << n << " x " << k << ", " << m << " rows";
      }
    }
  }
}

// Would catch: sums that are cut where inputs or rows no longer fit a cache.
TEST_P(EachGemm, MultipliesLongRows) {
  constexpr std::int64_t kOutputs = 33, kInputs = 8209, kRows = 130;
  const auto w = random_floats("weights", kOutputs * kInputs);
  const auto x = random_floats("inputs", kRows * kInputs);
  const PackedMatrix matrix = packed(w, kOutputs, kInputs);
  const auto y = product(matrix, x, workers_);
  EXPECT_EQ(error_of(y, inputs_of(x), weights_of(w), kOutputs, kInputs), "");
  for (const std::int64_t row : {0, 64, 129}) {
    const auto alone = product(matrix, row_of(x, row, kInputs), workers_);
    EXPECT_TRUE(same_bits(alone, row_of(y, row, kOutputs))) << row;
  }
}

// Would catch: rows of X taken one after another where they are apart.
TEST_P(EachGemm, HeedsTheStrideOfX) {
  for (const std::int64_t m : {1, 2, 19}) {
    const auto w = random_floats("weights", 40 * 24);
    const auto wide = random_floats("inputs", m * 30);
    std::vector<float> x;
    for (std::int64_t row = 0; row < m; ++row) {
      x.insert(x.end(), wide.begin() + row * 30, wide.begin() + row * 30 + 24);
    }
    const PackedMatrix matrix = packed(w, 40, 24);
    std::vector<float> y(static_cast<std::size_t>(m * 40));
    multiply(matrix, {wide.data(), m, 30}, {y.data(), 40}, workers_);
    EXPECT_TRUE(same_bits(y, product(matrix, x, workers_))) << m;
  }
}

// Would catch: a bias of the wrong output, or sums that begin with bias or residual in one place
// (of the panel's middle, of its tail) and end with them in another.
TEST_P(EachGemm, AddsBiasThenResidual) {
  for (const std::int64_t m : {1, 5, 18, 40}) {
    const PackedMatrix matrix = packed(random_floats("weights", 77 * 50), 77, 50);
    const auto x = random_floats("inputs", m * 50);
    const auto bias = random_floats("bias", 77);
    const auto before = random_floats("residual", m * 77);
    const auto plain = product(matrix, x, workers_);
    std::vector<float> with_bias = plain, added = before, both = before;
    for (std::size_t i = 0; i < plain.size(); ++i) {
      with_bias[i] = plain[i] + bias[i % 77];
      added[i] = before[i] + plain[i];
      both[i] = before[i] + with_bias[i];
    }
    EXPECT_TRUE(same_bits(product(matrix, x, workers_, {.bias = bias.data()}), with_bias));
    const InputRows in{x.data(), m, 50};
    auto y = before;
    multiply(matrix, in, {y.data(), 77}, workers_, {.add = true});
    EXPECT_TRUE(same_bits(y, added));
    y = before;
    multiply(matrix, in, {y.data(), 77}, workers_, {.bias = bias.data(), .add = true});
    EXPECT_TRUE(same_bits(y, both));
  }
}

// Would catch: matrices of a stack that overlap or leave gaps where one ends within a panel.
TEST_P(EachGemm, StacksMatrices) {
  const std::vector<std::int64_t> rows{70, 3, 1, 45, 32};
  const auto x = random_floats("inputs", 9 * 33);
  std::vector<std::vector<float>> weights;
  std::vector<TensorView> views;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    weights.push_back(random_floats("weights " + std::to_string(i), rows[i] * 33));
    views.push_back(view_of(weights[i], rows[i], 33));
  }
  const PackedMatrix stack(views, kind(), workers_);
  ASSERT_EQ(stack.rows(), 151);
  const auto y = product(stack, x, workers_);
  std::int64_t start = 0;
  for (std::size_t i = 0; i < rows.size(); start += rows[i++]) {
    const auto alone = product(packed(weights[i], rows[i], 33), x, workers_);
    for (std::int64_t m = 0; m < 9; ++m) {
      const auto part = row_of(y, m, 151);
      EXPECT_TRUE(same_bits({part.begin() + start, part.begin() + start + rows[i]},
                            row_of(alone, m, rows[i])))
          << "matrix " << i << ", row " << m;
    }
  }
}

// Would catch: a storage type or a layout that is packed wrongly.
TEST_P(EachGemm, PacksEveryTypeAndLayout) {
  constexpr std::int64_t kRows = 66, kColumns = 150;
  // Multiples of 1/8 up to 1 are exact in each type.
  std::vector<float> w = random_floats("weights", kRows * kColumns);
  for (float& value : w) value = std::round(value * 8) / 8;
  const auto x = random_floats("inputs", 7 * kColumns);
  const auto expected = product(packed(w, kRows, kColumns), x, workers_);
  const auto check = [&](const TensorView& view, const char* what) {
    EXPECT_TRUE(same_bits(product({view, kind(), workers_}, x, workers_), expected)) << what;
  };

  std::vector<std::uint16_t> bf16, f16;
  for (const float value : w) {
    bf16.push_back(round_to_bf16(value));
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const std::uint32_t half = (bits >> 13U) - (112U << 10U);  // other exponents do not occur
    f16.push_back(
        static_cast<std::uint16_t>(value == 0 ? 0 : (bits >> 16U & 0x8000U) | (half & 0x7fffU)));
  }
  TensorView view = view_of(w, kRows, kColumns);
  view.type = ElementType::bf16;
  view.data = reinterpret_cast<const std::byte*>(bf16.data());
  check(view, "bf16");
  view.type = ElementType::f16;
  view.data = reinterpret_cast<const std::byte*>(f16.data());
  check(view, "f16");

  std::vector<float> transposed(w.size()), heads(w.size() * 3);
  for (std::int64_t row = 0; row < kRows; ++row) {
    for (std::int64_t column = 0; column < kColumns; ++column) {
      const float value = w[row * kColumns + column];
      transposed[column * kRows + row] = value;
      heads[(row / 11 * 33 + row % 11) * kColumns + column] = value;  // heads of 11 rows
    }
  }
  view = view_of(transposed, kRows, kColumns);
  view.row_stride = view.group_stride = 1;
  view.column_stride = kRows;
  check(view, "transposed");
  view = view_of(heads, kRows, kColumns);
  view.group_rows = 11;
  view.group_stride = 33 * kColumns;
  check(view, "head by head");
}

// Would catch: a row that is not finite and reaches others through padding or a shared sum.
TEST_P(EachGemm, KeepsInfinityAndNanInTheirRows) {
  const auto w = random_floats("weights", 35 * 37);
  const PackedMatrix matrix = packed(w, 35, 37);
  auto x = random_floats("inputs", 21 * 37);
  const auto healthy = product(matrix, x, workers_);
  x[3 * 37 + 36] = std::numeric_limits<float>::infinity();
  x[11 * 37] = std::numeric_limits<float>::quiet_NaN();
  const auto y = product(matrix, x, workers_);
  for (std::int64_t row = 0; row < 21; ++row) {
    const auto found = row_of(y, row, 35);
    if (row == 3) {
      for (std::size_t n = 0; n < 35; ++n) {
        const float expected = w[n * 37 + 36] > 0 ? INFINITY : -INFINITY;
        EXPECT_EQ(found[n], expected) << n;
      }
    } else if (row == 11) {
      for (const float value : found) EXPECT_TRUE(std::isnan(value));
    } else {
      EXPECT_TRUE(same_bits(found, row_of(healthy, row, 35))) << row;
    }
  }
}

// Would catch: zero rows that reach a kernel, which expects at least one.
TEST_P(EachGemm, DoesNothingForNoRows) {
  const PackedMatrix matrix = packed(random_floats("weights", 6), 2, 3);
  EXPECT_NO_THROW(multiply(matrix, {nullptr, 0, 3}, {nullptr, 2}, workers_));
}

// Would catch: a programmer's error that becomes a read beyond a matrix.
TEST(PackedMatrix, RefusesWhatCannotBeMultiplied) {
  Workers workers(1);
  const auto values = random_floats("weights", 12);
  const std::array<TensorView, 2> unequal{view_of(values, 2, 6), view_of(values, 3, 4)};
  EXPECT_THROW(PackedMatrix(unequal, GemmKind::f32, workers), InvariantBroken);
  EXPECT_THROW(PackedMatrix(TensorView{}, GemmKind::f32, workers), InvariantBroken);
  EXPECT_THROW(multiply(PackedMatrix(), {values.data(), 1, 4}, {nullptr, 4}, workers),
               InvariantBroken);
  const PackedMatrix matrix(unequal[0], GemmKind::f32, workers);
  std::vector<float> y(4);
  EXPECT_THROW(multiply(matrix, {values.data(), 2, 5}, {y.data(), 2}, workers), InvariantBroken);
  EXPECT_THROW(multiply(matrix, {values.data(), 2, 6}, {y.data(), 1}, workers), InvariantBroken);
  const CpuLevelCap cap(CpuLevel::avx512);
  EXPECT_FALSE(gemm_available(GemmKind::bf16_dot));
  EXPECT_THROW(PackedMatrix(unequal[0], GemmKind::bf16_dot, workers), InvariantBroken);
}

}  // namespace
}  // namespace tokenyard
