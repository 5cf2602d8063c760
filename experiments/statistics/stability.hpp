#pragma once

#include <span>

namespace tokenyard {

/// Whether a queue was seen to grow without end. A system is rate stable when its number in system
/// N(t) stays small beside t, that is when it completes as many requests a second as come
/// (El-Taha and Stidham, "Sample-Path Analysis of Queueing Systems", 1999, section 1.3). Each
/// value is the change of N over a stretch of time, over the requests that came in it: 0 on
/// average in steady state, 1 - 1/load above saturation. The stretches are independent
/// replications, or the successive parts of one run (whose changes largely cancel out in steady
/// state, so that the test then errs on the safe side).
///
/// True when one in two hundred or more stays behind on average and Student's one-sided test says
/// at 0.1 % that it is not by chance. Fewer than five values tell nothing.
bool grows_without_end(std::span<const double> changes);

}  // namespace tokenyard
