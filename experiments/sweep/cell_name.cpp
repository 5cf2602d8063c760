#include "experiments/sweep/cell_name.hpp"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "experiments/settings_json.hpp"
#include "experiments/sweep/file_digest.hpp"
#include "traces/trace_view.hpp"

namespace tokenyard {

namespace {

using Json = nlohmann::ordered_json;

/// Weights by their content; seeded ones by what they are drawn from.
std::string weights_digest(const std::string& weights) {
  std::error_code error;
  const bool stored = !weights.empty() && std::filesystem::exists(weights, error);
  return stored ? tree_digest(weights) : weights;
}

}  // namespace

std::string cell_name(const RunPlan& plan, const RunRow& row, std::string_view trace_digest) {
  const Settings& settings = row.machine.settings;
  Json resolved = Json::parse(settings_json(settings));
  resolved.erase("cost");  // a path; its content follows
  resolved.erase("weights");
  Json json;
  json["program"] = program_digest();
  json["settings"] = std::move(resolved);
  json["cost"] = row.machine.cost_json;
  json["weights"] = weights_digest(settings.weights);
  json["policy"] = row.policy;
  json["system"] = row.system;
  json["seed"] = first_seed(plan);
  json["trace"] = trace_digest;
  json["format"] = plan.format;
  json["zero"] = plan.zero;
  json["iterations"] = plan.iterations;
  json["timeline"] = plan.timeline;
  json["bound"] = plan.bound;
  return text_digest(json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

std::string requests_digest(const RunTrace& trace) {
  const auto view = trace.view();
  if (trace.streamed()) {
    for (std::size_t id = 0; id < view->size(); ++id) {
      view->need(id);
      view->forget_before(id);
    }
  }
  return view->digest();
}

}  // namespace tokenyard
