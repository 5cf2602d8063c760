#include "experiments/sweep/cells.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "experiments/named_system.hpp"
#include "experiments/record/result_folder.hpp"
#include "experiments/sweep/options.hpp"
#include "sim/kernel/input_error.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

namespace {

/// The values of an axis, or one empty value where the plan leaves it out.
template <typename Value>
std::vector<std::optional<Value>> axis(const std::vector<Value>& values) {
  if (values.empty()) return {std::nullopt};
  return {values.begin(), values.end()};
}

/// `run` has flags to turn something on and none to turn it off.
void refuse_turning_off(const std::vector<GivenSetting>& options, const std::string& system) {
  for (const GivenSetting& implied : read_named_system(system).settings) {
    for (const GivenSetting& given : options) {
      if (given.name == implied.name && given.value == "false" && implied.value == "true") {
        throw InputError(fmt::format("'{}' is on in the system '{}' and cannot be turned off",
                                     given.name, system));
      }
    }
  }
}

/// The rate that the options ask for.
std::optional<double> rate_in(const RunPlan& run) {
  for (const GivenSetting& given : run.settings) {
    if (given.name == "request-rate") return parse_number(given.value);
  }
  return std::nullopt;
}

/// The part of a cell's name that says what runs.
std::string what_runs(const SweepPlan& plan, const RunPlan& run) {
  if (run.policies.empty()) return run.systems.front();
  return plan.systems.size() > 1 ? run.policies.front() + "@" + run.systems.front()
                                 : run.policies.front();
}

RunName name_of(const SweepPlan& plan, const SweepCell& cell) {
  RunName name;
  if (plan.variants.size() > 1) name.series = cell.variant + " ";
  name.series += what_runs(plan, cell.run);
  if (plan.request_rates.size() > 1) {
    name.series += fmt::format(" rate={}", format_number(*cell.request_rate));
  }
  name.label = name.series;
  if (plan.seeds.size() > 1) name.label += fmt::format(" seed={}", *cell.run.seed);
  return name;
}

void check_cell(const SweepPlan& plan, const SweepVariant& variant, const SweepCell& cell) {
  try {
    for (const std::string& system : cell.run.systems) refuse_turning_off(variant.options, system);
    check(cell.run);
  } catch (const InputError& error) {
    throw InputError(fmt::format("{}: cell '{}': {}", plan.path, cell.name.label, error.what()));
  }
}

/// Each cell is kept in memory, and a folder on disk.
void refuse_too_many(const SweepPlan& plan) {
  constexpr double kMost = 1e6;
  double cells = static_cast<double>(plan.variants.size());
  for (const std::size_t values :
       {plan.systems.size(), plan.policies.size(), plan.request_rates.size(), plan.seeds.size()}) {
    cells *= static_cast<double>(std::max<std::size_t>(values, 1));
  }
  if (cells <= kMost) return;
  throw InputError(fmt::format("{}: {} cells, more than {}", plan.path, cells, kMost));
}

}  // namespace

std::vector<SweepCell> cells_of(const SweepPlan& plan, std::optional<std::int64_t> limit) {
  refuse_too_many(plan);
  std::vector<SweepCell> cells;
  const auto add = [&](const SweepVariant& variant, const std::optional<std::string>& system,
                       const std::optional<std::string>& policy, std::optional<double> rate,
                       std::optional<std::uint64_t> seed) {
    SweepCell cell;
    cell.variant = variant.name;
    RunPlan& run = cell.run;
    run.trace = variant.trace;
    if (system) run.systems.push_back(*system);
    if (policy) run.policies.push_back(*policy);
    apply_options(run, variant.options);
    const auto set = [&run](const std::string& name, const std::string& value) {
      std::erase_if(run.settings, [&](const GivenSetting& given) { return given.name == name; });
      run.settings.push_back({name, value, name});
    };
    if (rate) set("request-rate", format_number(*rate));
    if (rate && !plan.requests.empty()) {
      const auto place = std::ranges::find(plan.request_rates, *rate) - plan.request_rates.begin();
      set("limit", fmt::to_string(plan.requests[static_cast<std::size_t>(place)]));
    }
    if (limit) set("limit", fmt::to_string(*limit));
    if (seed) run.seed = seed;
    cell.request_rate = rate_in(run);
    cell.name = name_of(plan, cell);
    check_cell(plan, variant, cell);
    cells.push_back(std::move(cell));
  };
  for (const SweepVariant& variant : plan.variants) {
    for (const auto& system : axis(plan.systems)) {
      for (const auto& policy : axis(plan.policies)) {
        for (const auto& rate : axis(plan.request_rates)) {
          for (const auto& seed : axis(plan.seeds)) add(variant, system, policy, rate, seed);
        }
      }
    }
  }
  std::vector<std::string> labels;
  for (const SweepCell& cell : cells) labels.push_back(cell.name.label);
  const std::vector<std::string> folders = safe_file_names(labels);
  for (std::size_t i = 0; i < cells.size(); ++i) cells[i].name.folder = folders[i];
  return cells;
}

}  // namespace tokenyard
