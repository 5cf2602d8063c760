#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "traces/trace.hpp"

namespace tokenyard {

/// Keeps the first `requests` requests; the rest count as dropped. Less than 1 is an `InputError`.
void limit(Trace& trace, std::int64_t requests);

/// A limit as a number of requests, and what it drops as counted.
std::size_t checked_limit(std::int64_t requests);
DroppedRows beyond_limit(std::size_t requests);

/// Multiplies every arrival (and so every gap) by one factor, such that the mean rate
/// (n - 1) / (last - first) is `requests_per_s`. Clients' patience (`cancel_after`) stays as it is.
/// `InputError` if the rate is not positive, if all requests arrive at once, or if an arrival would
/// come after more than `kLongest`.
void scale_to_rate(Trace& trace, double requests_per_s);

/// That factor, of a trace called `name` with so many requests between these arrivals.
double stretch_to_rate(const std::string& name, std::size_t requests, Time first, Time last,
                       double requests_per_s);

/// An arrival multiplied by a factor.
Time stretched(Time arrival, double factor);

/// Divides every arrival by `factor`, so that requests come at so many times the rate. Clients'
/// patience stays as it is. `InputError` as above.
void scale_rate(Trace& trace, double factor);

/// Multiplies the lengths of prompts and outputs, and bounds and predictions of them, by `factor`
/// (`scaled_tokens`). Names of blocks that a shorter prompt no longer has go. `InputError` where
/// prompts are given as token ids.
void scale_lengths(Trace& trace, double factor);

/// So many times the tokens, rounded to 1 … kMostTokens.
std::int64_t scaled_tokens(std::int64_t tokens, double factor);

/// (n - 1) / (last - first) in requests/s; 0 where all requests arrive at once.
double mean_rate(const Trace& trace);

}  // namespace tokenyard
