#include <gtest/gtest.h>

#include "sim/kernel/input_error.hpp"
#include "tests/support/fake_scheduling.hpp"
#include "tests/support/integer_cost.hpp"
#include "tests/support/simulation.hpp"

namespace tokenyard::test {
namespace {

using namespace std::chrono_literals;
using Order = std::vector<std::uint32_t>;

// Would catch: an order by anything but arrival (by prompt, by last touch).
TEST(Fcfs, RanksByArrivalAndEqualArrivalsByTheSmallerId) {
  const IntegerCost cost(1ms);
  PolicyBench bench(make_policy("fcfs"), cost);
  bench.context.at(at_ms(5));
  bench.arrive(2, 900);
  bench.arrive(1, 10);
  bench.context.at(at_ms(7));
  bench.arrive(3, 1);
  EXPECT_EQ(bench.ranking.order(), (Order{1, 2, 3}));
}

// Would catch: a place that is lost by running or by losing one's memory; also needless work, for
// FCFS has nothing to say after the arrival.
TEST(Fcfs, APlaceIsForLife) {
  const IntegerCost cost(1ms);
  PolicyBench bench(make_policy("fcfs"), cost);
  bench.arrive(0);
  bench.context.advance(1ms);
  bench.arrive(1);
  bench.progress(0, 1ms);
  bench.evict(0);
  bench.refresh();
  EXPECT_EQ(bench.ranking.order(), (Order{0, 1}));
  EXPECT_EQ(bench.ranking.calls.size(), 2u);
  EXPECT_EQ(bench.level(0), -1);
}

// Would catch: a parameter that is swallowed.
TEST(Fcfs, HasNoParameters) {
  EXPECT_THROW(make_policy("fcfs:quantum=3"), InputError);
}

}  // namespace
}  // namespace tokenyard::test
