#include "experiments/capacity/capacity_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "experiments/run_json.hpp"
#include "experiments/sweep/options.hpp"
#include "experiments/sweep/sweep.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

namespace {

using Json = nlohmann::ordered_json;

std::string cell(const std::optional<double>& value) {
  return value ? format_number(*value) : std::string();
}

std::string rate_text(const std::optional<double>& rate) {
  return rate ? fmt::format("{:.4g}", *rate) : "-";
}

std::string interval_text(const Capacity& capacity) {
  if (!capacity.low) return "-";
  return fmt::format("[{}, {}]", rate_text(capacity.low),
                     capacity.high ? rate_text(capacity.high) : "any");
}

std::string mode_of(const CapacityPlan& plan) {
  return plan.terminating ? "terminating" : "steady";
}

Json json_or_null(const std::optional<double>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json point_json(const CapacityPlan& plan, const MeasuredPoint& point) {
  Json json;
  json["rate"] = point.rate;
  json["steady"] = point.steady;
  json["met"] = point.estimated;
  json["rules"] = Json::array();
  for (std::size_t i = 0; i < plan.rules.size(); ++i) {
    json["rules"].push_back({{"rule", plan.rules[i].text},
                             {"value", json_or_null(point.values[i].mean)},
                             {"half_width", json_or_null(point.values[i].half_width)}});
  }
  return json;
}

std::string capacity_csv(const CapacityPlan& plan, const Capacities& capacities) {
  std::string text =
      "label,policy,system,rate,rate_ci95_low,rate_ci95_high,bounded,bounded_by,"
      "seeds,mode\n";
  for (const Capacity& each : capacities.series) {
    text += fmt::format("{},{},{},{},{},{},{},{},{},{}\n", csv_field(each.series),
                        csv_field(each.policy), csv_field(each.system), cell(each.rate),
                        cell(each.low), cell(each.high), each.bounded, csv_field(each.reason),
                        each.seeds, mode_of(plan));
  }
  return text;
}

std::string points_csv(const CapacityPlan& plan, const Capacities& capacities) {
  std::string text = "label,request_rate,rule,value,value_ci95_half_width,met,steady,seeds\n";
  for (const Capacity& each : capacities.series) {
    for (const MeasuredPoint& point : each.points) {
      for (std::size_t i = 0; i < plan.rules.size(); ++i) {
        text += fmt::format("{},{},{},{},{},{},{},{}\n", csv_field(each.series),
                            format_number(point.rate), csv_field(plan.rules[i].text),
                            cell(point.values[i].mean), cell(point.values[i].half_width),
                            point.met[i], point.steady, each.seeds);
      }
    }
  }
  return text;
}

}  // namespace

std::string capacity_table(const CapacityPlan& plan, const Capacities& capacities) {
  std::size_t label = 6, interval = 13;
  for (const Capacity& each : capacities.series) {
    label = std::max(label, each.series.size());
    interval = std::max(interval, interval_text(each).size());
  }
  std::string text =
      fmt::format("{:<{}}  {:>10}  {:<{}}  {}\n", "policy", label, "requests/s", "95 % interval",
                  interval, plan.terminating ? "bounded by (terminating runs)" : "bounded by");
  for (const Capacity& each : capacities.series) {
    text += fmt::format("{:<{}}  {:>10}  {:<{}}  {}\n", each.series, label,
                        each.bounded ? rate_text(each.rate) : "any", interval_text(each), interval,
                        each.reason);
  }
  return text;
}

std::string capacity_json(const CapacityPlan& plan, const Capacities& capacities) {
  Json json;
  json["tokenyard"] = version();
  json["mode"] = mode_of(plan);
  json["capacities"] = Json::array();
  for (const Capacity& each : capacities.series) {
    Json entry;
    entry["label"] = each.series;
    entry["policy"] = each.policy;
    entry["system"] = each.system;
    entry["rate"] = json_or_null(each.rate);
    entry["ci95"] = {json_or_null(each.low), json_or_null(each.high)};
    entry["bounded"] = each.bounded;
    entry["bounded_by"] = each.reason;
    entry["seeds"] = each.seeds;
    entry["points"] = Json::array();
    for (const MeasuredPoint& point : each.points)
      entry["points"].push_back(point_json(plan, point));
    json["capacities"].push_back(entry);
  }
  json["notes"] = capacities.notes;
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

void write_capacity(const CapacityPlan& plan, const Capacities& capacities,
                    const ResultFolder& folder) {
  std::vector<Summary> summaries;
  for (const Capacity& each : capacities.series) {
    summaries.insert(summaries.end(), each.summaries.begin(), each.summaries.end());
  }
  Json json;
  json["tokenyard"] = version();
  json["command"] = "capacity";
  std::vector<std::string> words = run_words(plan.run);
  words.front() = "capacity";
  for (const Slo& rule : plan.rules) words.insert(words.end(), {"--slo", rule.text});
  if (plan.requests) words.insert(words.end(), {"--requests", fmt::to_string(*plan.requests)});
  if (plan.terminating) words.emplace_back("--terminating");
  constexpr double kPercent = 100;
  words.insert(words.end(), {"--tolerance", format_number(kPercent * plan.tolerance) + "%"});
  json["arguments"] = words;
  json["notes"] = capacities.notes;
  write_text_file(folder.path() / "capacity.csv", capacity_csv(plan, capacities));
  write_text_file(folder.path() / "points.csv", points_csv(plan, capacities));
  write_text_file(folder.path() / "summary.csv", sweep_csv(summaries));
  write_text_file(folder.path() / "run.json",
                  json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

}  // namespace tokenyard
