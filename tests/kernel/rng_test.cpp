#include "sim/kernel/rng.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <boost/random/normal_distribution.hpp>
#include <boost/random/uniform_real_distribution.hpp>
#include <cmath>
#include <cstdint>
#include <set>

namespace tokenyard {
namespace {

// Would catch: a changed generator, which would change every seeded result. The values are the
// well-known check sequence of SplitMix64 for the state 1234567.
TEST(Rng, IsSplitMix64) {
  Rng rng(1234567);
  EXPECT_EQ(rng(), 6457827717110365317ULL);
  EXPECT_EQ(rng(), 3203168211198807973ULL);
  EXPECT_EQ(rng(), 9817491932198370423ULL);
  EXPECT_EQ(rng(), 4593380528125082431ULL);
  EXPECT_EQ(rng(), 16408922859458223821ULL);
}

// Would catch: a stream that depends on anything but (seed, name, key).
RC_GTEST_PROP(Rng, SameNameGivesTheSameStream, (std::uint64_t seed, std::uint64_t key)) {
  Rng a = named_stream(seed, "arrivals", key);
  named_stream(seed, "lengths", key)();
  Rng b = named_stream(seed, "arrivals", key);
  for (int draw = 0; draw < 8; ++draw) RC_ASSERT(a() == b());
}

// Would catch: seed, name and key mixed so weakly that neighbouring streams coincide, as they would
// by adding or xor-ing them (seed 1, key 2 against seed 2, key 1).
TEST(Rng, StreamsDiffer) {
  std::set<std::uint64_t> first_draws;
  std::size_t streams = 0;
  for (const char* name : {"arrivals", "lengths", "predictor", "sampler", ""}) {
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
      for (std::uint64_t key = 0; key < 40; ++key) {
        first_draws.insert(named_stream(seed, name, key)());
        ++streams;
      }
    }
  }
  EXPECT_EQ(first_draws.size(), streams);
}

// Would catch: correlated streams for neighbouring keys: one draw from each of many streams must
// look like draws from one (mean and variance of a standard normal within five standard errors).
TEST(Rng, OneDrawFromEachOfManyStreamsIsStandardNormal) {
  constexpr int kStreams = 20'000;
  double sum = 0;
  double squares = 0;
  for (std::uint64_t key = 0; key < kStreams; ++key) {
    Rng rng = named_stream(1, "predictor", key);
    const double z = boost::random::normal_distribution<double>()(rng);
    sum += z;
    squares += z * z;
  }
  EXPECT_NEAR(sum / kStreams, 0, 5 / std::sqrt(kStreams));
  EXPECT_NEAR(squares / kStreams, 1, 5 * std::sqrt(2.0 / kStreams));
}

// Would catch: an engine whose range Boost.Random cannot use, or draws outside of it.
TEST(Rng, DrivesBoostDistributions) {
  Rng rng = named_stream(7, "lengths");
  const boost::random::uniform_real_distribution<double> uniform(0, 1);
  for (int draw = 0; draw < 1000; ++draw) {
    const double u = uniform(rng);
    ASSERT_GE(u, 0);
    ASSERT_LT(u, 1);
  }
}

}  // namespace
}  // namespace tokenyard
