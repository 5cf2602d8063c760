#pragma once
// Poisson processes whose rate changes: at random between a few states, or as a curve of time.

#include <memory>

#include "traces/arrivals.hpp"

namespace tokenyard {

/// A Markov-modulated Poisson process (Fischer and Meier-Hellstern, "The Markov-modulated Poisson
/// process (MMPP) cookbook", Performance Evaluation 18, 1993): it stays in a state for an
/// exponential time, then goes to any other with equal chance, and requests come at the rate of
/// the state it is in. It begins in its steady state, so its mean rate is the sojourn-weighted mean
/// of the rates from the first request on. A rate of 0 makes a state silent.
std::unique_ptr<ArrivalProcess> make_mmpp(Parameters& parameters);

/// A Poisson process with rate(t) = rate (1 + amplitude cos(2 pi (t - peak_s) / period_s)).
std::unique_ptr<ArrivalProcess> make_diurnal(Parameters& parameters);

/// A Poisson process whose rate is given at some times and linear between them. Before the first
/// time it is the first rate; after the last one the last, or the curve begins again (`period_s`).
std::unique_ptr<ArrivalProcess> make_curve(Parameters& parameters);

}  // namespace tokenyard
