#pragma once
// Flight records of small simulations, and their replays.

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "experiments/record/flight_record.hpp"
#include "experiments/replay.hpp"
#include "experiments/run.hpp"
#include "tests/experiments/made_up.hpp"
#include "tests/support/simulation.hpp"

namespace tokenyard::flights {

/// Simulates `jobs` under `policy` (as `test::make_policy` has it) and records it in `file`.
inline void record(const std::filesystem::path& file, const std::vector<test::Job>& jobs,
                   const std::string& policy, const CostModel& cost, const ServerSettings& settings,
                   int depth = 1, const test::MakeExecutor& make_executor = {}) {
  FlightHeader header;
  header.policy = policy;
  header.depth = depth;
  header.output_tokens_mean = 1;
  header.settings.server = settings;
  FlightRecord flight(file.string(), header, std::make_unique<test::JobWorkload>(jobs));
  test::simulate(jobs, policy, cost, settings, false, &flight, make_executor);
  flight.finish();
}

/// Replays it with a policy and costs of the caller's.
inline ReplayResult replay_with(const std::filesystem::path& file, const std::string& policy,
                                const CostModel& cost) {
  FlightReader reader(file.string());
  RecordedTruth truth;
  const test::TruePredictor predictor(truth);
  const auto made = test::make_policy(policy);
  return replay(reader, {*made, cost, &predictor, truth});
}

inline ReplayResult replay_file(const std::filesystem::path& file) {
  FlightReader reader(file.string());
  return replay(reader);
}

/// Records one run of a trace or workload plan, as `tokenyard run --record` does.
inline void record_run(const std::filesystem::path& file, const std::string& trace,
                       const std::string& policy,
                       const std::map<std::string, std::string>& settings) {
  RunPlan plan;
  plan.trace = trace;
  plan.policies = {policy};
  plan.quiet = true;
  plan.record = file.string();
  for (const auto& [name, value] : settings) plan.settings.push_back({name, value, name});
  run(plan, nullptr);
}

inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

inline void write(const std::filesystem::path& file, const std::string& text) {
  std::ofstream(file, std::ios::binary) << text;
}

inline void write(const std::filesystem::path& file, const std::vector<std::string>& lines) {
  std::ofstream out(file, std::ios::binary);
  for (const std::string& line : lines) out << line << '\n';
}

/// `text` with the first `from` made `to`; the test fails where there is none.
inline std::string changed(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from << " in " << text;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

}  // namespace tokenyard::flights
