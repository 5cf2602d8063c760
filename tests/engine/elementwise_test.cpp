#include "engine/kernels/elementwise.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "engine/kernels/cpu_features.hpp"
#include "sim/kernel/invariant.hpp"
#include "sim/kernel/rng.hpp"

namespace tokenyard {
namespace {

using Row = std::vector<float>;

/// Runs under each set of kernels that this CPU has.
class Elementwise : public ::testing::TestWithParam<CpuLevel> {
 protected:
  Elementwise() : cap_(GetParam()) {}
  void SetUp() override {
    if (cpu_level() < GetParam()) GTEST_SKIP() << "not on this CPU";
  }

 private:
  CpuLevelCap cap_;
};

INSTANTIATE_TEST_SUITE_P(Levels, Elementwise,
                         ::testing::Values(CpuLevel::baseline, CpuLevel::avx2, CpuLevel::avx512),
                         [](const auto& level) {
                           return std::string(cpu_level_name(level.param));
                         });

Row random_row(std::uint64_t seed, std::int64_t columns, float most, float middle = 0) {
  Rng rng(seed);
  Row row(static_cast<std::size_t>(columns));
  for (float& x : row) x = (static_cast<float>(rng() % 20001) / 10000.0F - 1.0F) * most + middle;
  return row;
}

std::int64_t size_of(const Row& row) {
  return static_cast<std::int64_t>(row.size());
}

Row normalized(NormKind kind, const Row& x, const Row& scale, const Row& shift, float epsilon) {
  Row y(x.size());
  normalize(kind, {scale.data(), shift.empty() ? nullptr : shift.data(), epsilon}, size_of(x),
            {x.data(), 1, size_of(x)}, {y.data(), size_of(x)}, {0, 1});
  return y;
}

Row activated(Activation f, const Row& x) {
  Row y(x.size());
  activate(f, size_of(x), {x.data(), 1, size_of(x)}, {y.data(), size_of(x)}, {0, 1});
  return y;
}

bool same_bits(const Row& a, const Row& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

/// Sizes with and without an odd end, for vectors of 4, 8 and 16.
const std::vector<std::int64_t> kColumns{1, 2, 7, 8, 15, 17, 48, 63, 64, 768, 1001};

// Would catch: a mean or variance over the wrong count, an end that is left out or counted as
// zeros, the variance about 0 (with a mean of 100, which also shows up cancellation).
TEST_P(Elementwise, LayerNormMeetsTheDefinition) {
  for (const std::int64_t columns : kColumns) {
    const Row x = random_row(1, columns, 3, 100);
    const Row scale = random_row(2, columns, 2), shift = random_row(3, columns, 1);
    double mean = 0, variance = 0;
    for (const float value : x) mean += static_cast<double>(value) / static_cast<double>(columns);
    for (const float value : x) {
      variance += std::pow(static_cast<double>(value) - mean, 2) / static_cast<double>(columns);
    }
    const Row with = normalized(NormKind::layer, x, scale, shift, 0.01F);
    const Row without = normalized(NormKind::layer, x, scale, {}, 0.01F);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double wanted = (static_cast<double>(x[i]) - mean) / std::sqrt(variance + 0.01) *
                            static_cast<double>(scale[i]);
      EXPECT_NEAR(without[i], wanted, 2e-5) << columns;  // 2^-24 of 100, in units of the deviation
      EXPECT_NEAR(with[i], wanted + static_cast<double>(shift[i]), 2e-5) << columns;
    }
  }
}

// Would catch: a mean that is taken off, epsilon in the wrong place.
TEST_P(Elementwise, RmsNormMeetsTheDefinition) {
  for (const std::int64_t columns : kColumns) {
    const Row x = random_row(4, columns, 0.5F, 0.2F), scale = random_row(5, columns, 2);
    double squares = 0;
    for (const float value : x) {
      squares += std::pow(static_cast<double>(value), 2) / static_cast<double>(columns);
    }
    const Row y = normalized(NormKind::rms, x, scale, {}, 0.25F);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double wanted =
          static_cast<double>(x[i]) / std::sqrt(squares + 0.25) * static_cast<double>(scale[i]);
      EXPECT_NEAR(y[i], wanted, 1e-6) << columns;
    }
  }
}

struct Formula {
  Activation f;
  const char* name;
  double (*exact)(double);
};

const std::vector<Formula> kFormulas{
    {Activation::relu, "relu", [](double x) { return std::max(x, 0.0); }},
    {Activation::gelu, "gelu", [](double x) { return x * 0.5 * std::erfc(-x / std::sqrt(2.0)); }},
    {Activation::gelu_tanh, "gelu_tanh",
     [](double x) {
       const double u = std::sqrt(2.0 / 3.14159265358979323846) * (x + 0.044715 * x * x * x);
       return x / (1 + std::exp(-2 * u));  // (1 + tanh u) / 2 without its cancellation
     }},
    {Activation::silu, "silu", [](double x) { return x / (1 + std::exp(-x)); }},
};

// Would catch: a wrong constant or sign, and tails that lose all digits or overflow.
TEST_P(Elementwise, ActivationsMeetTheirFormulas) {
  Row x;
  for (double value = -100; value <= 100; value += 0.0037) x.push_back(static_cast<float>(value));
  for (const float value : {0.0F, -0.0F, 1e-20F, -1e-20F, 1e30F, -1e30F}) x.push_back(value);
  for (const Formula& formula : kFormulas) {
    const Row y = activated(formula.f, x);
    double most = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double wanted = formula.exact(static_cast<double>(x[i]));
      const double allowed = std::max(2e-6 * std::abs(wanted), 1e-10);
      most = std::max(most, std::abs(static_cast<double>(y[i]) - wanted) / allowed);
    }
    EXPECT_LE(most, 1) << formula.name;
  }
}

// Would catch: a NaN that turns into a number.
TEST_P(Elementwise, ActivationsKeepNan) {
  for (const Formula& formula : kFormulas) {
    EXPECT_TRUE(std::isnan(activated(formula.f, {std::nanf("")})[0])) << formula.name;
  }
}

Row exponentials(const Row& x) {
  Row y(x.size());
  exponentiate(size_of(x), {x.data(), 1, size_of(x)}, {y.data(), size_of(x)}, {0, 1});
  return y;
}

// Would catch: a coefficient that is off, a reduction that loses bits far from 0, a power of two
// that overflows before the result does. Errors are in units of the exact value's last place.
TEST_P(Elementwise, ExponentialKeepsItsErrorBound) {
  Row x;
  for (float value = -87.33F; value < 88.72F; value += 0.00037F) x.push_back(value);
  x.push_back(-59.9219F);
  for (float value = 1e-10F; value < 0.4F; value *= 1.001F) {
    x.push_back(value);
    x.push_back(-value);
  }
  for (const float value : {-87.33654F, 88.7228F, 88.722838F}) x.push_back(value);
  const Row y = exponentials(x);
  double most = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double wanted = std::exp(static_cast<double>(x[i]));
    const double unit = std::ldexp(1.0, std::ilogb(wanted) - 23);
    most = std::max(most, std::abs(static_cast<double>(y[i]) - wanted) / unit);
  }
  EXPECT_LE(most, 1.01);
}

// Would catch: weights of masked tokens that are not 0, a maximum that does not weigh 1, and
// garbage beyond the range of f32.
TEST_P(Elementwise, ExponentialIsExactAtItsEnds) {
  const float infinite = std::numeric_limits<float>::infinity();
  const Row x{0.0F, -0.0F, -infinite, infinite, -87.4F, -1e4F, -3e38F, 88.73F, 3e38F};
  EXPECT_EQ(exponentials(x), (Row{1, 1, 0, infinite, 0, 0, 0, infinite, infinite}));
  EXPECT_TRUE(std::isnan(exponentials({std::nanf("")})[0]));
}

// Would catch: the factors of a gated layer taken for one another.
TEST_P(Elementwise, GatedActivationIsTheGatesTimesUp) {
  const Row gate = random_row(6, 77, 4), up = random_row(7, 77, 2);
  for (const Formula& formula : kFormulas) {
    const Row by_itself = activated(formula.f, gate);
    Row both = gate;  // in place
    activate_gated(formula.f, 77, {both.data(), 1, 77}, {up.data(), 1, 77}, {both.data(), 77},
                   {0, 1});
    for (std::size_t i = 0; i < both.size(); ++i) {
      EXPECT_EQ(both[i], by_itself[i] * up[i]) << formula.name;
    }
  }
}

// Would catch: rows outside the range that are touched, strides that are ignored, and results that
// depend on a row's place or on working in place.
TEST_P(Elementwise, RowsAreIndependent) {
  constexpr std::int64_t kWide = 37, kStride = 41, kRows = 5;
  const Row x = random_row(8, kStride * kRows, 3), scale = random_row(9, kWide, 1);
  const InputRows from{x.data(), kRows, kStride};
  using Operation = std::function<void(InputRows, OutputRows, Part)>;
  const std::vector<Operation> operations{
      [&](InputRows in, OutputRows out, Part rows) {
        normalize(NormKind::layer, {scale.data(), scale.data(), 1e-5F}, kWide, in, out, rows);
      },
      [&](InputRows in, OutputRows out, Part rows) {
        normalize(NormKind::rms, {scale.data(), nullptr, 1e-5F}, kWide, in, out, rows);
      },
      [](InputRows in, OutputRows out, Part rows) {
        activate(Activation::gelu, kWide, in, out, rows);
      },
      [](InputRows in, OutputRows out, Part rows) {
        activate_gated(Activation::silu, kWide, in, in, out, rows);
      }};
  for (const Operation& operation : operations) {
    Row some(x.size(), -7), in_place = x, first(kWide);
    operation(from, {some.data(), kStride}, {2, 4});
    operation({in_place.data(), kRows, kStride}, {in_place.data(), kStride}, {0, kRows});
    operation({x.data() + 3 * kStride, 1, kStride}, {first.data(), kWide}, {0, 1});
    const auto part = [](const Row& of, std::int64_t row, std::int64_t from_column,
                         std::int64_t columns) {
      const auto begin = of.begin() + row * kStride + from_column;
      return Row(begin, begin + columns);
    };
    EXPECT_TRUE(same_bits(part(some, 3, 0, kWide), first));
    EXPECT_TRUE(same_bits(part(in_place, 3, 0, kWide), first));
    EXPECT_TRUE(
        same_bits(part(in_place, 2, kWide, kStride - kWide), part(x, 2, kWide, kStride - kWide)));
    EXPECT_EQ(part(some, 3, kWide, kStride - kWide), Row(kStride - kWide, -7));
    for (const std::int64_t row : {0, 1, 4}) EXPECT_EQ(part(some, row, 0, kWide), Row(kWide, -7));
    EXPECT_THROW(operation(from, {some.data(), kStride}, {4, 6}), InvariantBroken);
  }
}

// Would catch: a reduction whose order follows the width of the vectors.
TEST(ElementwiseLevels, Avx2AndAvx512GiveTheSameBits) {
  if (cpu_level() < CpuLevel::avx512) GTEST_SKIP() << "no AVX-512 on this CPU";
  for (const std::int64_t columns : kColumns) {
    const Row x = random_row(10, columns, 5, 1), scale = random_row(11, columns, 1);
    const auto all = [&] {
      std::vector<Row> results{normalized(NormKind::layer, x, scale, scale, 1e-5F),
                               normalized(NormKind::rms, x, scale, {}, 1e-5F)};
      for (const Formula& formula : kFormulas) results.push_back(activated(formula.f, x));
      return results;
    };
    const auto wanted = all();
    const CpuLevelCap cap(CpuLevel::avx2);
    const auto found = all();
    for (std::size_t i = 0; i < wanted.size(); ++i) EXPECT_TRUE(same_bits(found[i], wanted[i]));
  }
}

// Would catch: sums or cuts of the wrong elements.
TEST(Elementwise, AddsAndClampsRows) {
  const Row x{1, 2, 3, 4, 5, 6};
  Row y{10, -20, 30, 40, -50, 60};
  add(2, {x.data(), 2, 3}, {y.data(), 3}, {0, 2});
  EXPECT_EQ(y, (Row{11, -18, 30, 44, -45, 60}));
  clamp(20, 2, {y.data(), 3}, {1, 2});
  EXPECT_EQ(y, (Row{11, -18, 30, 20, -20, 60}));
}

}  // namespace
}  // namespace tokenyard
