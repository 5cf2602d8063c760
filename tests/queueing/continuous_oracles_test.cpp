// The oracles of continuous time (F5 to F10), computed again by quadrature from the size laws.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "tests/queueing/oracles.hpp"

namespace tokenyard::test {
namespace {

using Function = std::function<double(double)>;

/// A law of sizes between `low` and `high`, its upper tail cut where it no longer counts.
struct Law {
  double low, high;
  Function density;
  std::function<double(int, double)> moment;  ///< E[S^k; S <= x], k from 0 to 2
};

/// Sums of exponentials: weights and means.
Law exponentials(std::vector<std::pair<double, double>> parts) {
  double longest = 0;
  for (const auto& part : parts) longest = std::max(longest, part.second);
  const auto density = [parts](double x) {
    double sum = 0;
    for (const auto& [p, mean] : parts) sum += p / mean * std::exp(-x / mean);
    return sum;
  };
  const auto moment = [parts](int k, double x) {
    double sum = 0;
    for (const auto& [p, mean] : parts) {
      const double y = x / mean, tail = std::exp(-y);
      const double of_unit[] = {1 - tail, 1 - tail * (1 + y), 2 - tail * (2 + 2 * y + y * y)};
      sum += p * std::pow(mean, k) * of_unit[k];
    }
    return sum;
  };
  return {1e-9, 60 * longest, density, moment};
}

Law exponential() {
  return exponentials({{1, 1}});
}

Law hyperexponential() {
  return exponentials({{0.8872983346, 0.5635083269}, {1 - 0.8872983346, 4.436491673}});
}

/// Uniform from 0 to 2.
Law uniform() {
  return {1e-9, 2, [](double) { return 0.5; },
          [](int k, double x) { return std::pow(x, k + 1) / (2 * (k + 1)); }};
}

Law bounded_pareto() {
  const double low = 0.5, high = 200, alpha = 1.5;
  const double scale = alpha * std::pow(low, alpha) / (1 - std::pow(low / high, alpha));
  return {low, high, [=](double x) { return scale * std::pow(x, -alpha - 1); },
          [=](int k, double x) {
            return scale * (std::pow(x, k - alpha) - std::pow(low, k - alpha)) / (k - alpha);
          }};
}

/// A queue's load and moments by size, in the notation of `Oracle`.
struct Queue {
  double rate;
  Law law;

  double all(int k) const { return law.moment(k, law.high); }
  double rho(double x) const { return rate * law.moment(1, x); }
  double cut_moment(int k, double x) const {
    return law.moment(k, x) + std::pow(x, k) * (1 - law.moment(0, x));
  }
  double rho_cut(double x) const { return rate * cut_moment(1, x); }
};

/// E[T(x)] as `Queue` and x have it.
using TimeOfSize = std::function<double(const Queue&, double)>;

double preemptive_by_size(const Queue& q, double x) {
  const double free = 1 - q.rho(x);
  return q.rate * q.law.moment(2, x) / (2 * free * free) + x / free;
}

double shortest_first(const Queue& q, double x) {
  const double free = 1 - q.rho(x);
  return q.rate * q.all(2) / (2 * free * free) + x;
}

double least_attained(const Queue& q, double x) {
  const double free = 1 - q.rho_cut(x);
  return q.rate * q.cut_moment(2, x) / (2 * free * free) + x / free;
}

/// The part of SRPT before a job is first served; the rest is an integral up to x.
double srpt_wait(const Queue& q, double x) {
  const double free = 1 - q.rho(x);
  return q.rate * q.cut_moment(2, x) / (2 * free * free);
}

TimeOfSize feedback(std::vector<double> thresholds) {
  return [thresholds](const Queue& q, double x) {
    double above = 0, own = std::numeric_limits<double>::infinity();
    for (const double threshold : thresholds) {
      if (threshold < x) above = threshold;
      if (threshold >= x) own = std::min(own, threshold);
    }
    own = std::min(own, q.law.high);
    return (q.rate * q.cut_moment(2, own) / (2 * (1 - q.rho_cut(own))) + x) /
           (1 - (above > 0 ? q.rho_cut(above) : 0));
  };
}

struct Means {
  double t = 0, slowdown = 0;
};

/// The averages over sizes by Simpson's rule, panel by panel between the `breaks`; `rate_inside` is
/// integrated from 0 to x and added to the time of x.
Means average(
    const Queue& q, const TimeOfSize& time, std::vector<double> breaks = {},
    const Function& rate_inside = [](double) { return 0.0; }) {
  constexpr int kPanels = 100'000;
  std::erase_if(breaks, [&q](double at) { return at <= q.law.low || at >= q.law.high; });
  breaks.insert(breaks.begin(), q.law.low);
  breaks.push_back(q.law.high);
  double inside = q.law.low * rate_inside(q.law.low);  // nobody is smaller
  Means means;
  const auto add = [&](double x, double time_s, double weight) {
    means.t += weight * q.law.density(x) * time_s;
    means.slowdown += weight * q.law.density(x) * time_s / x;
  };
  for (std::size_t b = 0; b + 1 < breaks.size(); ++b) {
    const double width = (breaks[b + 1] - breaks[b]) / kPanels;
    for (int i = 0; i < kPanels; ++i) {
      // A little inside the panel, where a threshold is an end of it.
      const double from = breaks[b] + i * width + 1e-9 * width, to = from + (1 - 2e-9) * width;
      const double middle = (from + to) / 2;
      const double r0 = rate_inside(from), r1 = rate_inside(middle), r2 = rate_inside(to);
      add(from, time(q, from) + inside, width / 6);
      add(middle, time(q, middle) + inside + width / 24 * (5 * r0 + 8 * r1 - r2), width * 4 / 6);
      inside += width / 6 * (r0 + 4 * r1 + r2);
      add(to, time(q, to) + inside, width / 6);
    }
  }
  return means;
}

void expect_rows(std::string_view id, const Means& got) {
  for (const Oracle& row : kOracles) {
    if (row.id != id) continue;
    const double value = row.metric == Metric::mean_t ? got.t : got.slowdown;
    EXPECT_NEAR(value, row.value, 3e-7 * row.value) << id << " " << name_of(row.metric);
  }
}

// Would catch: an oracle of F5 to F10 that was copied wrongly, or stands beside a wrong formula.
TEST(ContinuousOracles, FollowProcessorSharing) {
  const Queue q{0.7, hyperexponential()};
  expect_rows("S06", average(q, [](const Queue& queue, double x) {
                return x / (1 - queue.rate * queue.all(1));
              }));
}

// Would catch: as above, of SRPT.
TEST(ContinuousOracles, FollowSchrageAndMiller) {
  const auto srpt = [](double rate, const Law& law) {
    const Queue q{rate, law};
    return average(q, srpt_wait, {}, [&q](double t) { return 1 / (1 - q.rho(t)); });
  };
  expect_rows("S07", srpt(0.8, exponential()));
  expect_rows("S08", srpt(0.5613333333, bounded_pareto()));
  expect_rows("S09", srpt(0.9, uniform()));
}

// Would catch: as above, of the orders by whole size.
TEST(ContinuousOracles, FollowTheOrdersBySize) {
  expect_rows("S10", average({0.7, hyperexponential()}, preemptive_by_size));
  expect_rows("S11", average({0.8, exponential()}, shortest_first));
}

// Would catch: as above, of least attained service and of feedback queues.
TEST(ContinuousOracles, FollowAttainedService) {
  expect_rows("S12", average({0.8, exponential()}, least_attained));
  expect_rows("S13", average({0.8, hyperexponential()}, least_attained));
  expect_rows("S14", average({0.8, uniform()}, least_attained));
  for (const auto& [id, thresholds] :
       {std::pair{"S15", std::vector{1.0}}, {"S16", std::vector{0.5, 1.5, 3.5}}}) {
    expect_rows(id, average({0.8, hyperexponential()}, feedback(thresholds), thresholds));
  }
}

}  // namespace
}  // namespace tokenyard::test
