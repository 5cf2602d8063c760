#include "engine/sampling/best_of.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace tokenyard {
namespace {

using testing::ElementsAre;

// Would catch: the worst instead of the best, ties out of order, more than there are.
TEST(BestOf, TakesTheMostLikely) {
  const std::vector<double> sums = {-3.0, -1.0, -7.0, -1.0};
  EXPECT_THAT(best_of(sums, 2), ElementsAre(1, 3));
  EXPECT_THAT(best_of(sums, 3), ElementsAre(1, 3, 0));
  EXPECT_THAT(best_of(sums, 9), ElementsAre(1, 3, 0, 2));
}

}  // namespace
}  // namespace tokenyard
