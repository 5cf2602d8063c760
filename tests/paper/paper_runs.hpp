#pragma once
// Terminating runs as papers make them: so many requests at each rate, the mean over arrival seeds.

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "experiments/run.hpp"
#include "experiments/study/seeded_line.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard::paper {

/// A rate in requests/s and how many requests are run at it.
struct Load {
  double rate = 1;
  std::int64_t requests = 400;
};

/// OPT-13B on one A100 with 40 GB.
struct RunSetup {
  std::string lengths = "sharegpt-like";
  std::vector<std::pair<std::string, std::string>> options{};  ///< of `run`, without the dashes
  std::int64_t seeds = 20;
  std::string extra{};  ///< further keys of the workload plan, from a comma on
};

/// The runs of one policy or (where it is the name of one) system at one load.
inline std::vector<Summary> runs_of(const std::string& name, bool is_system, const Load& load,
                                    const RunSetup& setup) {
  RunPlan plan;
  plan.trace = fmt::format(R"({{"requests":{},"arrivals":"poisson:rate=1","lengths":"{}"{}}})",
                           load.requests, setup.lengths, setup.extra);
  (is_system ? plan.systems : plan.policies).push_back(name);
  plan.settings = {{"model", "opt-13b", "model"},
                   {"device", "a100-40g", "device"},
                   {"request-rate", format_number(load.rate), "rate"}};
  for (const auto& [option, value] : setup.options) {
    plan.settings.push_back({option, value, option});
  }
  plan.repeat = setup.seeds;
  plan.quiet = true;
  std::vector<Summary> summaries;
  for (RunResult& result : run(plan, nullptr).runs) summaries.push_back(std::move(result.summary));
  return summaries;
}

/// A metric against the rate.
inline SeededLine line_of(const std::string& name, bool is_system, const std::vector<Load>& loads,
                          const RunSetup& setup, const std::string& metric) {
  SeededLine line{name, {}};
  for (const Load& load : loads) {
    for (const Summary& run : runs_of(name, is_system, load, setup)) {
      line.values[load.rate][run.key.seed] = run.value(metric).value();
    }
  }
  return line;
}

/// The mean of a metric over the seeds.
inline double mean_of(const std::vector<Summary>& runs, const std::string& metric) {
  double sum = 0;
  for (const Summary& run : runs) sum += run.value(metric).value();
  return sum / static_cast<double>(runs.size());
}

}  // namespace tokenyard::paper
