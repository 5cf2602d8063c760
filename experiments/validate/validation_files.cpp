#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "experiments/validate/validation.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

namespace {

using Json = nlohmann::ordered_json;

std::string cell(const std::optional<double>& value) {
  return value ? format_number(*value) : "";
}

Json json_of(const std::optional<double>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json json_of(const IterationErrors& errors) {
  return {{"iterations", errors.iterations},
          {"total_error", errors.total},
          {"mean_absolute_error", errors.mean_absolute},
          {"p50_absolute_error", errors.p50_absolute},
          {"p95_absolute_error", errors.p95_absolute},
          {"p99_absolute_error", errors.p99_absolute}};
}

}  // namespace

std::string validation_json(const Validation& validation) {
  Json json;
  json["met"] = validation.met();
  json["metrics"] = Json::array();
  for (const MetricRow& row : validation.metrics) {
    json["metrics"].push_back({{"policy", row.policy},
                               {"metric", row.metric},
                               {"live", row.live},
                               {"live_ci95_half_width", json_of(row.live_half_width)},
                               {"simulated", row.simulated},
                               {"error", row.error},
                               {"bound", json_of(row.bound)},
                               {"met", row.met()}});
  }
  json["iterations"] = Json::array();
  for (const IterationRow& row : validation.iterations) {
    Json entry = json_of(row.errors);
    entry["policy"] = row.policy;
    entry["equal_load_iterations"] = row.live.equals.iterations;
    entry["equal_load_mean_absolute"] = row.live.equals.mean_absolute;
    entry["equal_load_p50_absolute"] = row.live.equals.p50_absolute;
    entry["equal_load_p95_absolute"] = row.live.equals.p95_absolute;
    entry["equal_load_p99_absolute"] = row.live.equals.p99_absolute;
    entry["total_ci95_half_width"] = json_of(row.live.total_half_width);
    entry["total_bound"] = row.total_bound;
    entry["p95_bound"] = row.p95_bound;
    entry["met"] = row.met();
    entry["goals_met"] = row.goals_met;
    json["iterations"].push_back(std::move(entry));
  }
  json["pairs"] = Json::array();
  for (const PairRow& row : validation.pairs) {
    const auto live = [&](double RelativeChange::*part) {
      return row.live ? Json((*row.live).*part) : Json(nullptr);
    };
    json["pairs"].push_back({{"base", row.base},
                             {"candidate", row.candidate},
                             {"live_change", live(&RelativeChange::change)},
                             {"live_ci95_low", live(&RelativeChange::low)},
                             {"live_ci95_high", live(&RelativeChange::high)},
                             {"simulated_change", row.simulated},
                             {"judged", row.judged()},
                             {"agrees", row.agrees()}});
  }
  return json.dump() + "\n";
}

std::string metrics_csv(const Validation& validation) {
  std::string text = "policy,metric,live,live_ci95_half_width,simulated,relative_error,bound,met\n";
  for (const MetricRow& row : validation.metrics) {
    text += fmt::format("{},{},{},{},{},{},{},{}\n", csv_field(row.policy), row.metric,
                        format_number(row.live), cell(row.live_half_width),
                        format_number(row.simulated), format_number(row.error), cell(row.bound),
                        row.met());
  }
  return text;
}

std::string iteration_errors_csv(const Validation& validation) {
  std::string text =
      "policy,iterations,total_error,mean_absolute_error,p50_absolute_error,p95_absolute_error,"
      "p99_absolute_error,met,equal_load_iterations,equal_load_mean_absolute,"
      "equal_load_p50_absolute,equal_load_p95_absolute,equal_load_p99_absolute,"
      "total_ci95_half_width,total_bound,p95_bound,goals_met\n";
  for (const IterationRow& row : validation.iterations) {
    const IterationErrors& errors = row.errors;
    text += fmt::format("{},{},{},{},{},{},{},{}", csv_field(row.policy), errors.iterations,
                        format_number(errors.total), format_number(errors.mean_absolute),
                        format_number(errors.p50_absolute), format_number(errors.p95_absolute),
                        format_number(errors.p99_absolute), row.met());
    const LiveSpread& live = row.live;
    text += fmt::format(
        ",{},{},{},{},{},{},{},{},{}\n", live.equals.iterations,
        format_number(live.equals.mean_absolute), format_number(live.equals.p50_absolute),
        format_number(live.equals.p95_absolute), format_number(live.equals.p99_absolute),
        cell(live.total_half_width), format_number(row.total_bound), format_number(row.p95_bound),
        row.goals_met);
  }
  return text;
}

std::string pairs_csv(const Validation& validation) {
  std::string text =
      "base,candidate,live_change,live_ci95_low,live_ci95_high,simulated_change,judged,agrees\n";
  for (const PairRow& row : validation.pairs) {
    const auto live = [&](double RelativeChange::*part) {
      return row.live ? format_number((*row.live).*part) : "";
    };
    text += fmt::format("{},{},{},{},{},{},{},{}\n", csv_field(row.base), csv_field(row.candidate),
                        live(&RelativeChange::change), live(&RelativeChange::low),
                        live(&RelativeChange::high), format_number(row.simulated), row.judged(),
                        row.agrees());
  }
  return text;
}

std::string iterations_csv(std::span<const LiveAndSimulated> runs) {
  std::string text =
      "policy,repetition,prefill_sequences,prefill_tokens,prefill_context_product,"
      "decode_sequences,decode_context_tokens,measured_s,charged_s\n";
  for (const LiveAndSimulated& run : runs) {
    for (std::size_t i = 0; i < run.iterations.size(); ++i) {
      for (const ChargedIteration& each : run.iterations[i]) {
        const IterationLoad& load = each.load;
        text +=
            fmt::format("{},{},{},{},{},{},{},{},{}\n", csv_field(run.policy), i + 1,
                        load.prefill_sequences, load.prefill_tokens, load.prefill_context_product,
                        load.decode_sequences, load.decode_context_tokens,
                        format_number(each.measured_s), format_number(each.charged_s));
      }
    }
  }
  return text;
}

}  // namespace tokenyard
