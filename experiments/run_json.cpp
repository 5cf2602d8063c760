#include "experiments/run_json.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

#include "experiments/settings_json.hpp"
#include "sim/kernel/strict_json.hpp"
#include "traces/generate.hpp"

namespace tokenyard {

using Json = nlohmann::ordered_json;

namespace {

Json trace_json(const std::string& path, const TraceFacts& trace) {
  Json json;
  json["file"] = path;
  json["digest"] = trace.digest;
  json["requests"] = trace.requests;
  json["read"] = trace.counts.read;
  json["unsorted"] = trace.counts.unsorted;
  Json dropped = Json::object();
  for (const DroppedRows& rows : trace.counts.dropped) dropped[rows.reason] = rows.rows;
  json["dropped"] = dropped;
  return json;
}

/// What JSON that a run was told to read says.
Json contents(const JsonObject& json) {
  return Json::parse(json.raw());
}

/// Counts look like counts.
Json number_json(double value) {
  constexpr double kExact = 9e15;
  if (std::abs(value) < kExact && std::trunc(value) == value) {
    return static_cast<std::int64_t>(value);
  }
  return value;
}

/// Invalid UTF-8 in a name must not stop a finished run from being written.
std::string dump(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string version() {
  return TOKENYARD_VERSION;
}

std::string run_json(const RunPlan& plan, const std::vector<RunRow>& rows,
                     const std::vector<TraceFacts>& traces, const RunResults& results) {
  Json json;
  json["tokenyard"] = version();
  json["command"] = "run";
  json["seed"] = results.runs.front().summary.key.seed;
  json["repeat"] = traces.size();
  json["format"] = plan.format;
  json["zero"] = plan.zero;
  if (plan.trust_ids) json["trust_ids"] = true;
  if (plan.bound) json["bound"] = true;
  if (is_workload_plan(plan.trace)) json["plan"] = contents(open_workload_plan(plan.trace));
  json["traces"] = Json::array();
  for (const TraceFacts& trace : traces) json["traces"].push_back(trace_json(plan.trace, trace));
  json["rows"] = Json::array();
  for (const RunRow& row : rows) {
    Json entry;
    entry["series"] = row.series;
    entry["policy"] = row.policy;
    entry["system"] = row.system;
    entry["settings"] = Json::parse(settings_json(row.machine.settings));
    if (!row.machine.settings.cost_file.empty()) {
      entry["cost"] = Json::parse(row.machine.cost_json);
    }
    json["rows"].push_back(entry);
  }
  json["runs"] = Json::array();
  for (const RunResult& result : results.runs) {
    Json entry;
    entry["label"] = result.summary.key.label;
    entry["folder"] = result.folder;
    entry["series"] = result.summary.key.series;
    entry["seed"] = result.summary.key.seed;
    entry["clairvoyant"] = result.summary.key.clairvoyant;
    json["runs"].push_back(entry);
  }
  json["notes"] = results.notes;
  return dump(json);
}

std::string results_json(const RunResults& results) {
  Json json;
  json["tokenyard"] = version();
  json["runs"] = Json::array();
  for (const RunResult& result : results.runs) {
    const SummaryKey& key = result.summary.key;
    Json entry;
    entry["label"] = key.label;
    entry["policy"] = key.policy;
    entry["system"] = key.system;
    entry["seed"] = key.seed;
    if (!key.variant.empty()) entry["variant"] = key.variant;
    if (key.request_rate) entry["request_rate"] = number_json(*key.request_rate);
    entry["clairvoyant"] = key.clairvoyant;
    entry["iterations"] = result.iterations;
    entry["passes"] = result.passes;
    for (const auto& [name, value] : result.summary.values) {
      entry[name] = value ? number_json(*value) : Json(nullptr);
    }
    if (const auto& bound = result.summary.lower_bound_mean_jct_s) {
      entry["lower_bound_mean_jct_s"] = *bound;
    }
    json["runs"].push_back(entry);
  }
  json["notes"] = results.notes;
  return dump(json);
}

}  // namespace tokenyard
