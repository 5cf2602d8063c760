#pragma once

#include <string>
#include <vector>

#include "experiments/report/request_samples.hpp"
#include "experiments/report/result_reader.hpp"

namespace tokenyard {

/// Whether a run's backlog grew as long as requests came: the mean number of requests that an
/// arrival finds in the system rises over the second, third and last quarter of the arrivals, to at
/// least one and a half times the second's and at least 5 % of all requests. Above saturation it
/// does; below it a short run may by chance.
bool backlog_grew(const RunSamples& run);

/// What a reader must know before believing the numbers, a sentence each.
std::vector<std::string> report_warnings(const ResultFiles& files,
                                         const std::vector<RequestGroup>& groups);

}  // namespace tokenyard
