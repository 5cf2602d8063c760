#pragma once
// Steady-state values from queueing theory that the simulator must meet. All cases: Poisson
// arrivals, independent sizes, unlimited queue and memory, preemption free of cost.

#include <array>
#include <stdexcept>
#include <string>
#include <string_view>

namespace tokenyard::test {

enum class Metric {
  mean_t,         ///< mean of T, the time from arrival to completion
  mean_slowdown,  ///< mean of T / S, S = the job's own service time alone
  p99_t           ///< 99th percentile of T
};

/// One row: what `metric` of case `id` is, in seconds (slowdown: a number), and by which formula.
///
/// With lambda the arrival rate, S a size and rho = lambda E[S]:
/// F1  M/G/1 FCFS (Pollaczek-Khinchine): E[T] = E[S] + lambda E[S^2] / (2 (1 - rho)).
/// F2  M/M/1 FCFS: P(T > t) = exp(-(mu - lambda) t).
/// F3  M/H2/1 FCFS: T has the transform (1 - rho)(b1 s + b0) / ((s + r1)(s + r2)) with
///     b1 = p1 mu1 + p2 mu2, b0 = mu1 mu2 and r1, r2 the roots of r^2 - A r + B,
///     A = mu1 + mu2 - lambda, B = mu1 mu2 - lambda (mu1 + mu2) + lambda b1.
/// F4  M/D/1 FCFS (Erlang): P(W <= w) = (1 - rho) sum over k <= w/D of x^k exp(-x) / k! with
///     x = lambda (k D - w); T = W + D.
/// F5  M/G/1 processor sharing: E[T(x)] = x / (1 - rho) for jobs of size x, whatever the sizes.
/// F6  SRPT (Schrage and Miller): E[T(x)] = lambda E[(S^x)^2] / (2 (1 - rho(x))^2)
///     + integral from 0 to x of dt / (1 - rho(t)).
/// F7  Preemptive, by original size: E[T(x)] = lambda m2(x) / (2 (1 - rho(x))^2) + x / (1 -
/// rho(x)). F8  Non-preemptive, shortest first: E[T(x)] = lambda E[S^2] / (2 (1 - rho(x))^2) + x.
/// F9  Least attained service (FB): E[T(x)] = lambda E[(S^x)^2] / (2 (1 - rho_x)^2)
///     + x / (1 - rho_x).
/// F10 Feedback queues, FCFS inside a level, preemptive: for a job that ends between the thresholds
///     a and b, E[T(x)] = (lambda E[(S^b)^2] / (2 (1 - rho_b)) + x) / (1 - rho_a).
///     In F6 to F10: S^x = min(S, x), mk(x) = E[S^k; S <= x], rho(x) = lambda m1(x),
///     rho_x = lambda E[S^x]. Each is then averaged over x (slowdown: E[T(x)] / x).
/// F11 Token-granular policies: the SOAP theorem (Scully, Harchol-Balter and Scheller-Wolf,
///     SIGMETRICS 2018) restricted to segments that are not interrupted, ties first come, first
///     served.
/// F12 Geometric token counts: every policy that knows no lengths and decides at token boundaries
///     has the mean of F1 with E[S] = D / q, E[S^2] = D^2 (2 - q) / q^2, D the time of a token.
/// F15 Continuous batching, geometric lengths: Markov chain of the number present at step starts,
///     n -> n - Bin(min(n, B), q) + Poisson(lambda tau(b)); E[T] = E[N] / lambda.
/// F16 Static batching: the same at batch starts, n -> n - b + Poisson(lambda D_b), with D_b the
///     largest of b token counts x (c0 + c1 b).
struct Oracle {
  std::string_view id;
  Metric metric;
  double value;
  std::string_view formula;
};

inline constexpr std::array kOracles{
    Oracle{"S01", Metric::mean_t, 2, "F1"},
    Oracle{"S01", Metric::p99_t, 9.2103404, "F2"},
    Oracle{"S02", Metric::mean_t, 10, "F1"},
    Oracle{"S02", Metric::p99_t, 46.051702, "F2"},
    Oracle{"S03", Metric::mean_t, 3, "F1"},
    Oracle{"S03", Metric::p99_t, 11.355887, "F4"},
    Oracle{"S04", Metric::mean_t, 6.8333333, "F1"},
    Oracle{"S04", Metric::p99_t, 41.813559, "F3"},
    Oracle{"S05", Metric::mean_t, 8.9251781, "F1"},
    Oracle{"S06", Metric::mean_t, 3.3333333, "F5"},
    Oracle{"S06", Metric::mean_slowdown, 3.3333333, "F5"},
    Oracle{"S07", Metric::mean_t, 2.3527733, "F6"},
    Oracle{"S07", Metric::mean_slowdown, 1.5778518, "F6"},
    Oracle{"S08", Metric::mean_t, 3.0417623, "F6"},
    Oracle{"S08", Metric::mean_slowdown, 1.4551478, "F6"},
    Oracle{"S09", Metric::mean_t, 4.3973349, "F6"},
    Oracle{"S09", Metric::mean_slowdown, 2.9772994, "F6"},
    Oracle{"S10", Metric::mean_t, 1.9552347, "F7"},
    Oracle{"S10", Metric::mean_slowdown, 1.2431829, "F7"},
    Oracle{"S11", Metric::mean_t, 2.8822186, "F8"},
    Oracle{"S12", Metric::mean_t, 5, "F9"},
    Oracle{"S12", Metric::mean_slowdown, 2.995603, "F9"},
    Oracle{"S13", Metric::mean_t, 3.762321, "F9"},
    Oracle{"S13", Metric::mean_slowdown, 1.8737063, "F9"},
    Oracle{"S14", Metric::mean_t, 7.4544351, "F9"},
    Oracle{"S14", Metric::mean_slowdown, 5.3571624, "F9"},
    Oracle{"S15", Metric::mean_t, 5.8088013, "F10"},
    Oracle{"S16", Metric::mean_t, 3.8569728, "F10"},
    Oracle{"S17", Metric::mean_t, 1.6050636, "F11"},
    Oracle{"S17", Metric::mean_slowdown, 29.998351, "F11"},
    Oracle{"S18", Metric::mean_t, 0.43731983, "F11"},
    Oracle{"S18", Metric::mean_slowdown, 1.5555739, "F11"},
    Oracle{"S19", Metric::mean_t, 0.87402371, "F11"},
    Oracle{"S19", Metric::mean_slowdown, 2.1008189, "F11"},
    Oracle{"S20", Metric::mean_t, 0.95453466, "F11"},
    Oracle{"S20", Metric::mean_slowdown, 2.509401, "F11"},
    Oracle{"S22", Metric::mean_t, 0.90675169, "F11"},
    Oracle{"S22", Metric::mean_slowdown, 2.5197602, "F11"},
    Oracle{"S23", Metric::mean_t, 0.95, "F12"},
    Oracle{"S28", Metric::mean_t, 0.62469849, "F15"},
    Oracle{"S29", Metric::mean_t, 0.64416363, "F15"},
    Oracle{"S30", Metric::mean_t, 1.0973784, "F16"},
};

inline const Oracle& oracle(std::string_view id, Metric metric) {
  for (const Oracle& row : kOracles) {
    if (row.id == id && row.metric == metric) return row;
  }
  throw std::out_of_range("no such oracle: " + std::string(id));
}

inline std::string_view name_of(Metric metric) {
  constexpr std::string_view kNames[] = {"mean T", "mean slowdown", "p99 T"};
  return kNames[static_cast<std::size_t>(metric)];
}

}  // namespace tokenyard::test
