#pragma once
// Lengths whose logarithm is spread evenly or nearly so: many short ones, few that are very long.

#include <memory>

#include "traces/lengths.hpp"

namespace tokenyard {

/// Zipf's law on a range: k tokens with a probability proportional to (k - min + 1)^-theta, so that
/// the shortest are the commonest. `of=total` draws prompt and output together and divides them by
/// a fixed ratio, as Vidur's zipf generator does (there for theta below 1, and approximately);
/// `of=each` draws the two by the same law.
std::unique_ptr<LengthSource> make_zipf(Parameters& parameters);

/// Bounded Pareto lengths on [min, max], prompt and output each: the density falls as
/// x^(-alpha - 1) (Harchol-Balter, "Performance Modeling and Design of Computer Systems", 2013,
/// section 20.4). Rounded to whole tokens.
std::unique_ptr<LengthSource> make_pareto(Parameters& parameters);

}  // namespace tokenyard
