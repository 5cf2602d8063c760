#include "traces/workload_plan.hpp"

#include <fmt/format.h>

#include <limits>

#include "sim/kernel/input_error.hpp"
#include "sim/kernel/text.hpp"
#include "sim/kernel/time.hpp"
#include "traces/generate.hpp"
#include "traces/line_reader.hpp"
#include "traces/readers/catalogue.hpp"
#include "traces/writer.hpp"

namespace tokenyard {

namespace {

struct TextKey {
  const char* key;
  std::string WorkloadPlan::*value;
};

constexpr TextKey kExtraKeys[] = {{"sessions", &WorkloadPlan::sessions},
                                  {"prefix", &WorkloadPlan::prefix},
                                  {"n", &WorkloadPlan::n},
                                  {"best_of", &WorkloadPlan::best_of},
                                  {"beam_width", &WorkloadPlan::beam_width},
                                  {"tenants", &WorkloadPlan::tenants}};

}  // namespace

bool is_workload_plan(const std::string& trace) {
  if (trace.starts_with('{')) return true;
  if (!trace.ends_with(".json")) return false;
  try {
    LineReader lines(trace);
    const std::string_view text = lines.beginning();
    const auto first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) return true;
    return text[first] != '[' && document_reader(text) == nullptr;
  } catch (const InputError&) {
    return true;  // reading the plan will say what is wrong
  }
}

JsonObject open_workload_plan(const std::string& trace) {
  return trace.starts_with('{') ? JsonFile::parse(trace, "workload plan") : JsonFile::read(trace);
}

WorkloadPlan read_workload_plan(const std::string& trace) {
  return workload_plan(open_workload_plan(trace));
}

WorkloadPlan workload_plan(const JsonObject& json) {
  WorkloadPlan plan;
  if (json.has("duration")) {
    plan.duration_s = json.number("duration", 1e-9, to_seconds(kLongest));
  }
  if (json.has("requests") || !plan.duration_s) {
    plan.requests = json.integer("requests", 1, kMostRequests);
  }
  plan.arrivals = json.string("arrivals");
  plan.lengths = json.string_or("lengths", "");
  if (json.has("seed")) {
    plan.seed = static_cast<std::uint64_t>(
        json.integer("seed", 0, std::numeric_limits<std::int64_t>::max()));
  }
  for (const TextKey& text : kExtraKeys) {
    if (json.has(text.key)) plan.*text.value = json.scalar_text(text.key);
  }
  plan.scale_rate = json.number_or("scale_rate", kLeastScale, kMostScale, 1);
  plan.scale_lengths = json.number_or("scale_lengths", kLeastScale, kMostScale, 1);
  json.refuse_unread();
  check_workload_plan(plan, [&json](std::string_view key, const InputError& error) {
    json.refuse(key, error.what());
  });
  return plan;
}

std::string open_plan_json(const WorkloadPlan& plan) {
  std::string text = "{";
  const auto add = [&text](const char* key, const std::string& value) {
    text += fmt::format(R"({}"{}":{})", text.size() > 1 ? "," : "", key, value);
  };
  if (plan.requests > 0) add("requests", fmt::to_string(plan.requests));
  if (plan.duration_s) add("duration", format_number(*plan.duration_s));
  add("arrivals", json_text(plan.arrivals));
  if (!plan.lengths.empty()) add("lengths", json_text(plan.lengths));
  for (const TextKey& extra : kExtraKeys) {
    const std::string& value = plan.*extra.value;
    if (!value.empty()) add(extra.key, json_text(value));
  }
  if (plan.scale_rate != 1) add("scale_rate", format_number(plan.scale_rate));
  if (plan.scale_lengths != 1) add("scale_lengths", format_number(plan.scale_lengths));
  return text;
}

}  // namespace tokenyard
