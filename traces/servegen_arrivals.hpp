#pragma once

#include <memory>

#include "traces/arrivals.hpp"

namespace tokenyard {

/// The clients of a ServeGen folder, superposed. Each is a renewal process whose time runs at the
/// rate of its window, so that a gap that a window's end cuts goes on at the next one's rate and
/// the expected number of requests is the recorded one; it begins in its steady state. Lengths come
/// from the client's dataset for that time; a request's tenant is client-N.
///
/// A request of a client depends on the seed, the client and its own number alone: streams
/// "arrivals" and "lengths" are keyed by both. The folder is read when a stream begins.
std::unique_ptr<ArrivalProcess> make_servegen(Parameters& parameters);

}  // namespace tokenyard
