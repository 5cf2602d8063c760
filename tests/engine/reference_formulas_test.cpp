// The reference's formulas on numbers that PyTorch 2.9.1 gave (in double), or that follow by hand.

#include "tests/reference/formulas.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "tests/reference/golden_model.hpp"

namespace tokenyard::test {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::Pointwise;

// Would catch: one activation taken for another; they differ by less than a thousandth.
TEST(ReferenceFormulas, Activations) {
  const auto of = [](Activation activation) {
    Vector y;
    for (const double x : {-3.0, -0.5, 0.25, 1.0, 2.5}) y.push_back(activated(activation, x));
    return y;
  };
  const auto near = [](const Vector& expected) { return Pointwise(DoubleNear(1e-14), expected); };
  EXPECT_THAT(of(Activation::relu), ElementsAre(0, 0, 0.25, 1, 2.5));
  EXPECT_THAT(of(Activation::gelu),
              near({-0.00404969409489031, -0.15426876936299344, 0.14967658142073093,
                    0.841344746068543, 2.4844758366855597}));
  EXPECT_THAT(of(Activation::gelu_tanh),
              near({-0.0036373920817729943, -0.15428599017485606, 0.149675350701685,
                    0.8411919906082768, 2.484915733910001}));
  EXPECT_THAT(of(Activation::silu),
              near({-0.14227761953270035, -0.1887703343990727, 0.14054412522144952,
                    0.7310585786300049, 2.3103545499468914}));
}

// Would catch: a variance taken without its mean, with n - 1, or with epsilon outside the root.
TEST(ReferenceFormulas, Norms) {
  const Vector x{1, 2, 4, -3};
  const Norm norm{.scale = {1, 0.5, 2, -1}, .shift = {0, 1, -1, 0.5}};
  EXPECT_THAT(normalised(norm, NormKind::layer, 1e-5, x),
              Pointwise(DoubleNear(1e-14),
                        Vector{0.0, 1.1961159842797926, 1.3533918113575116, 2.068927874238341}));
  const Norm scale{.scale = norm.scale, .shift = {}};
  EXPECT_THAT(normalised(scale, NormKind::rms, 1e-5, x),
              Pointwise(DoubleNear(1e-14), Vector{0.3651481282381064, 0.3651481282381064,
                                                  2.921185025904851, 1.0954443847143192}));
}

// Would catch: a rotation backwards, by a wrong pair, or of pairs in the other layout.
TEST(ReferenceFormulas, Rotation) {
  const std::vector<float> frequencies{0.5F, 0.25F};
  const double c1 = std::cos(1.0), s1 = std::sin(1.0), c2 = std::cos(0.5), s2 = std::sin(0.5);
  Vector halves{1, 2, 0, 0};  // pairs (0, 2) and (1, 3)
  rotate(halves, 2, frequencies, RopePairs::halves);
  EXPECT_THAT(halves, Pointwise(DoubleNear(1e-15), Vector{c1, 2 * c2, s1, 2 * s2}));
  Vector adjacent{1, 0, 2, 0};
  rotate(adjacent, 2, frequencies, RopePairs::adjacent);
  EXPECT_THAT(adjacent, Pointwise(DoubleNear(1e-15), Vector{c1, s1, 2 * c2, 2 * s2}));
}

// Would catch: truncation for rounding, ties away from even, and a lost sign.
TEST(ReferenceFormulas, Bf16Rounding) {
  EXPECT_EQ(rounded_to_bf16(1 + 0x1p-8), 1.0);
  EXPECT_EQ(rounded_to_bf16(1 + 0x1.8p-7), 1 + 0x1p-6);
  EXPECT_EQ(rounded_to_bf16(1 + 0x1.1p-8), 1 + 0x1p-7);
  EXPECT_EQ(rounded_to_bf16(-1 - 0x1.1p-8), -1 - 0x1p-7);
  EXPECT_EQ(rounded_to_bf16(0x1.fffp-1), 1.0);
}

// Would catch: scores that overflow.
TEST(ReferenceFormulas, Softmax) {
  EXPECT_THAT(softmax({1000, 1000 + std::numbers::ln2}),
              ElementsAre(DoubleNear(1.0 / 3, 1e-12), DoubleNear(2.0 / 3, 1e-12)));
}

// Would catch: a comparison that passes whatever it is given.
TEST(ReferenceFormulas, RelativeErrorSeesWhatIsWrong) {
  EXPECT_EQ(relative_error({1, -4, 2.5}, {1, -4, 2}), 0.125);
  EXPECT_EQ(relative_error({1, -4}, {1, -4}), 0);
  EXPECT_TRUE(std::isnan(relative_error({1, std::nan(""), 2}, {1, 2, 2})));
  EXPECT_TRUE(std::isinf(relative_error({1, 2, 2}, {1, 2})));
}

}  // namespace
}  // namespace tokenyard::test
