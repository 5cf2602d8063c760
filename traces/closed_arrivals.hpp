#pragma once

#include <memory>

#include "traces/arrivals.hpp"

namespace tokenyard {

/// A closed loop: so many users, each of whom sends a request, waits for its answer, thinks, and
/// sends the next one. All begin by thinking. Request i is of user i modulo their number.
std::unique_ptr<ArrivalProcess> make_closed(Parameters& parameters);

}  // namespace tokenyard
