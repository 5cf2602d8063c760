// Arrival processes against what theory says of their rate and burstiness. Seeds are fixed and
// tolerances are four standard errors, where nothing else is said.

#include "traces/arrivals.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "tests/traces/drawn.hpp"
#include "tests/traces/made_up_files.hpp"
#include "traces/renewal_gap.hpp"

namespace tokenyard {
namespace {

using testing::HasSubstr;

// Would catch: a wrong shape for the CV, a mean that is not 1 / rate, gamma gaps under the name of
// Weibull (whose median is 0.106 of the mean at this CV, not 0.293).
TEST(Arrivals, WeibullHasItsRateVariationAndShape) {
  const std::vector<double> gaps = gaps_of(draw(100'000, "weibull:rate=4,cv=2", kOneToken));
  const Moments bursty = moments(gaps);
  EXPECT_NEAR(bursty.mean, 0.25, 0.25 * 2 * 4 / std::sqrt(1e5));
  EXPECT_NEAR(bursty.cv, 2, 4 * 0.0176);
  const double median = 0.292786543 * 0.25;
  const auto below = std::ranges::count_if(gaps, [&](double gap) { return gap < median; });
  EXPECT_NEAR(static_cast<double>(below) / 1e5, 0.5, 4 * 0.5 / std::sqrt(1e5));
  EXPECT_NEAR(gaps_s(draw(100'000, "weibull:rate=4,cv=0.5", kOneToken)).cv, 0.5, 0.01);
}

// Would catch: a CV of 1 that is not the exponential (shape 1), and bounds where the search fails.
TEST(Arrivals, WeibullShapesMeetTheirVariation) {
  EXPECT_NEAR(weibull_shape(1), 1, 1e-12);
  for (const double cv : {0.01, 0.1, 0.5, 3.0, 20.0, 100.0}) {
    const double k = weibull_shape(cv);
    const double ratio = std::exp(std::lgamma(1 + 2 / k) - 2 * std::lgamma(1 + 1 / k));
    EXPECT_NEAR(std::sqrt(ratio - 1) / cv, 1, 1e-6) << cv;
  }
}

// Would catch: sojourns taken for rates, a state that is left at each arrival. Two states: the mean
// rate is (1 x 60 + 20 x 5) / 65, and the variance of the count in time t over its mean tends to 1
// + 2 (l1 - l2)^2 p1 p2 / (mean (r1 + r2)), with p the shares and r the rates of leaving (Fischer
// and Meier-Hellstern 1993).
TEST(Arrivals, MmppHasItsMeanRateAndDispersion) {
  constexpr double kWindow_s = 500;
  constexpr std::size_t kWindows = 2'000;
  const double mean_rate = 160.0 / 65;
  const double shares = 60.0 * 5 / (65 * 65);
  const double leaving = 1.0 / 60 + 1.0 / 5;
  const double limit = 1 + 2 * 19 * 19 * shares / (mean_rate * leaving);
  const double ct = leaving * kWindow_s;
  const double dispersion = 1 + (limit - 1) * (1 - (1 - std::exp(-ct)) / ct);
  const Trace trace = draw_for(kWindow_s * kWindows, "mmpp:rates=1/20,sojourns_s=60/5");
  const Moments counts = moments(counts_of(trace, kWindow_s, kWindows));
  const double standard_error = std::sqrt(dispersion / (mean_rate * kWindow_s * kWindows));
  EXPECT_NEAR(counts.mean / (mean_rate * kWindow_s), 1, 4 * standard_error);
  const double measured = counts.cv * counts.cv * counts.mean;
  EXPECT_NEAR(measured / dispersion, 1, 4 * std::sqrt(2.0 / kWindows));
}

// Would catch: a start in the first state, or in each with equal chance.
TEST(Arrivals, MmppBeginsInItsSteadyState) {
  constexpr int kSeeds = 2'000;
  double busy = 0;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    const Trace trace = draw(1, "mmpp:rates=0/10,sojourns_s=3000/1000", kOneToken, seed);
    busy += trace.requests.arrival(0) - kOrigin < std::chrono::seconds(5) ? 1 : 0;
  }
  // A quarter of the time requests come; of the rest, 5 in 3000 turn busy at once.
  EXPECT_NEAR(busy / kSeeds, 0.25 + 0.75 * 5 / 3000, 4 * std::sqrt(0.25 * 0.75 / kSeeds));
}

// Would catch: a silent state that lets requests through, and gaps that do not span it. With one
// silent state the process is renewal with cv^2 = 1 + 2 l r_on / (r_on + r_off)^2 (Kuczura, "The
// interrupted Poisson process as an overflow process", Bell Syst. Tech. J. 52, 1973).
TEST(Arrivals, MmppWithASilentStateIsAnInterruptedPoissonProcess) {
  const Moments gaps = gaps_s(draw(200'000, "mmpp:rates=0/2,sojourns_s=5/5", kOneToken));
  EXPECT_NEAR(gaps.mean, 1, 4 * std::sqrt(6.0 / 2e5));
  EXPECT_NEAR(gaps.cv, std::sqrt(6.0), 4 * 0.0118);
}

// Would catch: states that are not all reached alike: the shares of time go by the sojourns alone.
TEST(Arrivals, MmppOfThreeStatesHasItsMeanRate) {
  const Trace trace = draw_for(100'000, "mmpp:rates=1/5/30,sojourns_s=10/4/1");
  const double expected = (1.0 * 10 + 5 * 4 + 30 * 1) / 15 * 100'000;
  // The rate's deviation over thirty seeds is 0.88 %.
  EXPECT_NEAR(static_cast<double>(trace.requests.size()) / expected, 1, 0.04);
}

// Would catch: a peak in another place, an amplitude that is not relative to the mean, a period in
// other units. Folded over the period, each tenth has the integral of the rate.
TEST(Arrivals, DiurnalFollowsItsCurve) {
  constexpr double kPeriods = 100;
  const Trace trace =
      draw_for(kPeriods * 1000, "diurnal:rate=10,amplitude=0.8,period_s=1000,peak_s=250");
  const std::vector<double> counts = counts_of(trace, 100, 10, 1000);
  const auto integral = [](double at_s) {
    const double turn = 2 * std::numbers::pi / 1000;
    return 10 * (at_s + 0.8 / turn * std::sin(turn * (at_s - 250)));
  };
  for (std::size_t tenth = 0; tenth < 10; ++tenth) {
    const double begin = 100 * static_cast<double>(tenth);
    const double expected = kPeriods * (integral(begin + 100) - integral(begin));
    EXPECT_NEAR(counts[tenth], expected, 4 * std::sqrt(expected)) << tenth;
  }
  EXPECT_GT(counts[2], 6 * counts[7]);
}

// Would catch: a modulation that changes the gaps' law: with amplitude 0 it is a Poisson process,
// and with the rate rising and falling slowly gaps over their local mean are exponential.
TEST(Arrivals, DiurnalIsPoissonInSmall) {
  EXPECT_NEAR(gaps_s(draw(100'000, "diurnal:rate=4,amplitude=0", kOneToken)).cv, 1, 0.02);
  const Trace trace =
      draw(100'000, "diurnal:rate=10,amplitude=1,period_s=20000,peak_s=0", kOneToken);
  std::vector<double> scaled;
  double before = 0;
  for (const auto& request : trace.requests) {
    const double at = to_seconds(request.arrival - kOrigin);
    const double turn = 2 * std::numbers::pi / 20'000;
    scaled.push_back(10 * (at - before + (std::sin(turn * at) - std::sin(turn * before)) / turn));
    before = at;
  }
  EXPECT_NEAR(moments(scaled).mean, 1, 4 / std::sqrt(1e5));
  EXPECT_NEAR(moments(scaled).cv, 1, 0.02);
}

// Would catch: a slope that is not integrated, a silence that is not silent, a curve that does not
// begin again, and one that never draws an end.
TEST(Arrivals, CurveHasTheRatesOfItsPoints) {
  const std::string spec = "curve:times_s=0/100/200/300,rates=8/8/0/0";
  const Trace periodic = draw_for(300 * 100, spec + ",period_s=400");
  const std::vector<double> counts = counts_of(periodic, 100, 4, 400);
  EXPECT_NEAR(counts[0], 75 * 800, 4 * std::sqrt(75 * 800.0));
  EXPECT_NEAR(counts[1], 75 * 400, 4 * std::sqrt(75 * 400.0));
  EXPECT_EQ(counts[2] + counts[3], 0);
  const std::vector<double> falling = counts_of(periodic, 50, 4, 400);
  EXPECT_NEAR(falling[2], 75 * 300, 4 * std::sqrt(75 * 300.0));

  const Trace once = draw_for(1e6, spec);
  EXPECT_NEAR(static_cast<double>(once.requests.size()), 1200, 4 * std::sqrt(1200.0));
  EXPECT_THAT(message_of([&] { draw(5000, spec, kOneToken); }), HasSubstr("more than 100 years"));
  const Trace late = draw_for(200, "curve:times_s=100/100,rates=1/50");
  const std::vector<double> halves = counts_of(late, 100, 2);
  EXPECT_NEAR(halves[0], 100, 40);
  EXPECT_NEAR(halves[1], 5000, 4 * std::sqrt(5000.0));
}

// Would catch: a process whose longer trace does not begin with the shorter one, and seeds that do
// nothing.
TEST(Arrivals, ALongerTraceBeginsWithTheShorter) {
  for (const char* spec :
       {"weibull:rate=2,cv=3", "mmpp:rates=1/9/0,sojourns_s=3/2/1", "diurnal:rate=2,period_s=50",
        "curve:times_s=0/10,rates=1/4,period_s=20"}) {
    const Trace few = draw(50, spec, kOneToken, 7);
    const Trace many = draw(500, spec, kOneToken, 7);
    for (std::size_t i = 0; i < few.requests.size(); ++i) {
      ASSERT_EQ(few.requests[i], many.requests[i]) << spec;
    }
    const double until = to_seconds(few.requests.back().arrival - kOrigin);
    EXPECT_EQ(draw_for(until, spec, kOneToken, 7).requests.size(), 50U) << spec;
    EXPECT_NE(draw(50, spec, kOneToken, 8).digest, few.digest) << spec;
  }
}

// Would catch: parameters that contradict one another and are taken, or that never draw an end.
TEST(Arrivals, RefuseWhatCannotBe) {
  expect_refusals([](const std::string& spec) { make_arrivals(spec); },
                  {{"mmpp:rates=1/2", "sojourns_s: is required"},
                   {"mmpp:rates=1,sojourns_s=1", "at least two states"},
                   {"mmpp:rates=1/2,sojourns_s=1/2/3", "3 values are given for 2"},
                   {"mmpp:rates=0/0,sojourns_s=1/2", "0.001 requests"},
                   {"mmpp:rates=1/x,sojourns_s=1/2", "found 'x'"},
                   {"mmpp:rates=1/,sojourns_s=1/2", "found ''"},
                   {"mmpp:rates=1/-1,sojourns_s=1/2", "found '-1'"},
                   {"diurnal:rate=1,amplitude=1.1", "amplitude"},
                   {"diurnal:rate=1,period_s=0", "period_s"},
                   {"curve:times_s=0/5,rates=1", "1 values are given for 2 times"},
                   {"curve:times_s=5/0,rates=1/1", "must ascend"},
                   {"curve:times_s=0/5,rates=1/1,period_s=4", "shorter than"},
                   {"curve:times_s=0/5,rates=0/0,period_s=9", "0.001 requests"},
                   {"servegen:start_s=1", "folder: is required"},
                   {"servegen:folder=/no/such", "is not there"}});
}

}  // namespace
}  // namespace tokenyard
