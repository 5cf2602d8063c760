// Which beams survive: the genealogy of Wright and Fisher.

#include "models/beam_survival.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

namespace tokenyard {
namespace {

constexpr std::uint64_t kSeed = 20261121;

/// Steps back from token `last` until the beams `alive` have one ancestor.
std::int64_t steps_to_common(const BeamSurvival& beams, std::uint32_t request, std::int64_t last,
                             std::int32_t width, std::set<std::int32_t> alive) {
  std::int64_t steps = 0;
  while (alive.size() > 1) {
    std::set<std::int32_t> parents;
    for (const std::int32_t beam : alive) {
      parents.insert(beams.parent(RequestId{request}, last - steps, beam, width));
    }
    alive = parents;
    ++steps;
  }
  return steps;
}

/// The mean of what `draw(request)` gives for many requests, and its standard error.
struct Estimate {
  double mean = 0;
  double error = 0;
};

template <typename Draw>
Estimate estimate(Draw draw) {
  constexpr std::uint32_t kRequests = 5000;
  double sum = 0, squares = 0;
  for (std::uint32_t request = 0; request < kRequests; ++request) {
    const auto value = static_cast<double>(draw(request));
    sum += value;
    squares += value * value;
  }
  const double mean = sum / kRequests;
  return {mean, std::sqrt((squares / kRequests - mean * mean) / (kRequests - 1))};
}

std::set<std::int32_t> all(std::int32_t width) {
  std::set<std::int32_t> beams;
  for (std::int32_t i = 0; i < width; ++i) beams.insert(beams.end(), i);
  return beams;
}

/// Expected steps until `width` beams have one ancestor. Of j lineages the parents are k different
/// ones with probability S(j, k) width! / ((width - k)! width^j), S being Stirling's numbers of the
/// second kind (Ewens, Mathematical Population Genetics, section 1.4: the Wright-Fisher model).
double expected_steps(int width) {
  const auto size = static_cast<std::size_t>(width) + 1;
  std::vector<std::vector<double>> stirling(size, std::vector<double>(size, 0));
  stirling[0][0] = 1;
  for (std::size_t j = 1; j < size; ++j) {
    for (std::size_t k = 1; k <= j; ++k) {
      stirling[j][k] = static_cast<double>(k) * stirling[j - 1][k] + stirling[j - 1][k - 1];
    }
  }
  std::vector<double> steps(size, 0);
  for (std::size_t j = 2; j < size; ++j) {
    double later = 1;
    double stay = 0;
    double ways = 1;  // to choose k parents in order
    for (std::size_t k = 1; k <= j; ++k) {
      ways *= static_cast<double>(size - k);
      const double chance = stirling[j][k] * ways / std::pow(width, static_cast<double>(j));
      (k == j ? stay : later) += k == j ? chance : chance * steps[k];
    }
    steps[j] = later / (1 - stay);
  }
  return steps.back();
}

// Would catch: a formula that is not the one meant: two lineages meet with chance 1 / width, three
// of three by hand (1 + 2/3 * 3) / (1 - 2/9).
TEST(BeamSurvival, TheoryIsRightWhereItCanBeDoneByHand) {
  EXPECT_DOUBLE_EQ(expected_steps(2), 2);
  EXPECT_DOUBLE_EQ(expected_steps(3), 27.0 / 7);
}

// Would catch: parents that are drawn unevenly (chi-square over the parents of one beam), or are
// none of the beams.
TEST(BeamSurvival, EachBeamIsEquallyOftenTheParent) {
  const BeamSurvival beams(kSeed);
  constexpr std::int32_t kWidth = 6;
  constexpr int kDraws = 60'000;
  for (std::int32_t beam = 0; beam < kWidth; ++beam) {
    std::vector<int> counts(kWidth, 0);
    for (int i = 0; i < kDraws; ++i) {
      const RequestId request{static_cast<std::uint32_t>(i % 100)};
      ++counts.at(static_cast<std::size_t>(beams.parent(request, 1 + i / 100, beam, kWidth)));
    }
    double chi_square = 0;
    for (const int count : counts) {
      const double beyond = count - kDraws / kWidth;
      chi_square += beyond * beyond / (kDraws / kWidth);
    }
    EXPECT_LT(chi_square, 20.5) << "five degrees of freedom, one case in a thousand";
  }
}

// Would catch: beams whose draws depend on one another, or on the step before: two beams have had
// their last common token `width` steps ago in the mean, distributed geometrically.
TEST(BeamSurvival, TwoBeamsMeetAfterWidthStepsInTheMean) {
  const BeamSurvival beams(kSeed);
  for (const std::int32_t width : {2, 3, 4, 6, 10}) {
    const Estimate found = estimate([&](std::uint32_t request) {
      return steps_to_common(beams, request, 1000, width, {0, width - 1});
    });
    EXPECT_NEAR(found.mean, width, 4 * found.error) << "width " << width;
    const double deviation = std::sqrt(static_cast<double>(width * (width - 1)));
    EXPECT_NEAR(found.error * std::sqrt(5000), deviation, 0.1 * deviation) << "width " << width;
  }
}

// Would catch: the same for more than two: how much of their outputs all beams have in common
// decides how many blocks they share.
TEST(BeamSurvival, AllBeamsMeetWhenTheWrightFisherModelSaysSo) {
  const BeamSurvival beams(kSeed);
  for (const std::int32_t width : {2, 3, 4, 6, 10}) {
    const Estimate found = estimate([&](std::uint32_t request) {
      return steps_to_common(beams, request, 1000, width, all(width));
    });
    EXPECT_NEAR(found.mean, expected_steps(width), 4 * found.error) << "width " << width;
  }
}

// Would catch: draws that depend on anything but seed, request and step.
TEST(BeamSurvival, TheSameQuestionHasTheSameAnswer) {
  const BeamSurvival beams(kSeed), again(kSeed), other(kSeed + 1);
  int different = 0;
  for (std::int64_t step = 1; step <= 100; ++step) {
    EXPECT_EQ(beams.parent(RequestId{7}, step, 2, 4), again.parent(RequestId{7}, step, 2, 4));
    different += beams.parent(RequestId{7}, step, 2, 4) != other.parent(RequestId{7}, step, 2, 4);
  }
  EXPECT_GT(different, 50);
}

}  // namespace
}  // namespace tokenyard
