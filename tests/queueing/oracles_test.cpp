// The oracles that have a closed form of one line, computed again from the parameters of the cases.

#include "tests/queueing/oracles.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace tokenyard::test {
namespace {

/// Pollaczek-Khinchine (F1).
double fcfs_mean_t(double rate, double mean, double second_moment) {
  return mean + rate * second_moment / (2 * (1 - rate * mean));
}

// Each of these catches a number that was copied wrongly.
TEST(Oracles, FollowPollaczekAndKhinchine) {
  constexpr double kDigits = 1e-7;
  const auto value = [](std::string_view id) { return oracle(id, Metric::mean_t).value; };
  EXPECT_NEAR(value("S01"), fcfs_mean_t(0.5, 1, 2), kDigits);
  EXPECT_NEAR(value("S02"), fcfs_mean_t(0.9, 1, 2), kDigits);
  EXPECT_NEAR(value("S03"), fcfs_mean_t(0.8, 1, 1), kDigits);
  EXPECT_NEAR(value("S04"), fcfs_mean_t(0.7, 1, 5), kDigits);

  // Bounded Pareto, alpha 1.5 on [0.5, 200]: E[S^k] in closed form.
  const double low = 0.5, high = 200, alpha = 1.5;
  const double scale = alpha * std::pow(low, alpha) / (1 - std::pow(low / high, alpha));
  const auto moment = [&](double k) {
    return scale * (std::pow(high, k - alpha) - std::pow(low, k - alpha)) / (k - alpha);
  };
  EXPECT_NEAR(value("S05"), fcfs_mean_t(0.421, moment(1), moment(2)), kDigits);

  // Tokens of 25 ms: first and second moment of the seven counts, and of the geometric count.
  EXPECT_NEAR(value("S17"), fcfs_mean_t(4.306864065, 0.18575, 0.13181875), kDigits);
  const double q = 0.125, token = 0.025;
  EXPECT_NEAR(value("S23"), fcfs_mean_t(4, token / q, token * token * (2 - q) / (q * q)), kDigits);
}

TEST(Oracles, FollowTheExponentialTail) {
  EXPECT_NEAR(oracle("S01", Metric::p99_t).value, std::log(100) / (1 - 0.5), 1e-7);
  EXPECT_NEAR(oracle("S02", Metric::p99_t).value, std::log(100) / (1 - 0.9), 1e-6);
}

// M/D/1, D = 1 (F4): the tail at the oracle is one in a hundred.
TEST(Oracles, FollowErlangsTail) {
  const double rate = 0.8, w = oracle("S03", Metric::p99_t).value - 1;
  double below = 0, factorial = 1;
  for (int k = 0; k <= static_cast<int>(w); ++k) {
    if (k > 0) factorial *= k;
    const double x = rate * (k - w);
    below += std::pow(x, k) * std::exp(-x) / factorial;
  }
  EXPECT_NEAR((1 - rate) * below, 0.99, 1e-6);
}

// M/H2/1 (F3): the tail as a sum of two exponentials is one in a hundred at the oracle.
TEST(Oracles, FollowTheHyperexponentialTail) {
  const double rate = 0.7, p1 = 0.8872983346, mu1 = 1 / 0.5635083269, mu2 = 1 / 4.436491673;
  const double b1 = p1 * mu1 + (1 - p1) * mu2, b0 = mu1 * mu2;
  const double a = mu1 + mu2 - rate, b = mu1 * mu2 - rate * (mu1 + mu2) + rate * b1;
  const double root = std::sqrt(a * a - 4 * b), r1 = (a - root) / 2, r2 = (a + root) / 2;
  // (1 - rho)(b1 s + b0) / ((s + r1)(s + r2)) = c1 / (s + r1) + c2 / (s + r2), with rho = rate.
  const double c1 = (1 - rate) * (b0 - b1 * r1) / (r2 - r1);
  const double c2 = (1 - rate) * (b0 - b1 * r2) / (r1 - r2);
  const double t = oracle("S04", Metric::p99_t).value;
  EXPECT_NEAR(c1 / r1 * std::exp(-r1 * t) + c2 / r2 * std::exp(-r2 * t), 0.01, 1e-6);
}

}  // namespace
}  // namespace tokenyard::test
