#include "experiments/sweep/sweep_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "experiments/compose.hpp"
#include "experiments/given_setting.hpp"
#include "experiments/named_system.hpp"
#include "experiments/sweep/options.hpp"
#include "sim/kernel/text.hpp"
#include "traces/generate.hpp"

namespace tokenyard {

namespace fs = std::filesystem;

namespace {

constexpr double kLeastRate = 1e-9, kMostRate = 1e9;
constexpr std::int64_t kMostSeeds = 100'000;
constexpr const char* kTrace = "trace";  ///< of a variant: the one key that is no option
constexpr std::int64_t kMostSeed = 4'000'000'000'000'000'000;

std::string contents(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) throw InputError(path, 0, "", "cannot be read");
  return text.str();
}

/// Refuses a value that stands twice: its cells would have the same name.
template <typename Value>
void refuse_repeated(const JsonObject& json, const std::string& key,
                     const std::vector<Value>& values) {
  for (auto value = values.begin(); value != values.end(); ++value) {
    if (std::find(values.begin(), value, *value) != value) {
      json.refuse(key, fmt::format("'{}' is given twice", *value));
    }
  }
}

/// A file that the plan names, as a path from the current folder.
std::string found_file(const JsonObject& json, const std::string& key, const std::string& plan,
                       const std::string& name) {
  std::error_code error;
  const fs::path beside = (fs::path(plan).parent_path() / name).lexically_normal();
  if (fs::exists(beside, error)) return beside.string();
  if (fs::exists(name, error)) return name;
  json.refuse(key, fmt::format("'{}' is neither in the plan's folder nor in the current one",
                               printable(name)));
}

/// The trace: a file, or a workload plan that stands in the plan itself.
std::string read_trace_name(const JsonObject& json, const std::string& path) {
  const std::string raw = json.raw("trace");
  if (!raw.starts_with('{')) return found_file(json, "trace", path, json.string("trace"));
  workload_plan(json.object("trace"));  // so that a fault is reported where it stands
  return raw;
}

/// The trace of a variant: a file, or keys of a workload plan laid over those of the plan's own.
std::string read_variant_trace(const JsonObject& variant, const std::string& path,
                               const std::string& base) {
  const std::string raw = variant.raw("trace");
  if (!raw.starts_with('{')) return found_file(variant, "trace", path, variant.string("trace"));
  if (!base.starts_with('{')) return read_trace_name(variant, path);
  auto laid_over = nlohmann::ordered_json::parse(base);
  laid_over.update(nlohmann::ordered_json::parse(raw));
  at_key(variant, "trace", [&] { read_workload_plan(laid_over.dump()); });
  return laid_over.dump();
}

std::vector<GivenSetting> read_options(const JsonObject& options, const std::string& path,
                                       const SweepPlan& plan, bool has_seeds) {
  std::vector<GivenSetting> read;
  for (const std::string& key : options.keys()) {
    if (key == kTrace) continue;
    GivenSetting given = read_option(options, key);
    if (given.name == "request-rate" && !plan.request_rates.empty()) {
      options.refuse(key, "the plan has \"request_rates\"");
    }
    if (given.name == "limit" && !plan.requests.empty()) {
      options.refuse(key, "the plan has \"requests\"");
    }
    if (given.name == "seed" && has_seeds) {
      options.refuse(key, "the plan has \"seeds\"");
    }
    for (const GivenSetting& other : read) {
      if (other.name == given.name) options.refuse(key, "is given twice");
    }
    if (given.name == "cost") given.value = found_file(options, key, path, given.value);
    read.push_back(std::move(given));
  }
  return read;
}

/// `over` laid over `base`.
std::vector<GivenSetting> merged(std::vector<GivenSetting> base,
                                 const std::vector<GivenSetting>& over) {
  for (const GivenSetting& given : over) {
    std::erase_if(base, [&](const GivenSetting& other) { return other.name == given.name; });
    base.push_back(given);
  }
  return base;
}

/// A variant's name stands in labels, between blanks.
void check_name(const JsonObject& variants, const std::string& name) {
  const bool plain = std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return c < 0x80 && (std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.' || c == '=');
  });
  if (name.empty() || !plain) {
    variants.refuse(name, "a variant's name is made of letters, digits and . _ - =");
  }
}

std::vector<SweepVariant> read_variants(const JsonObject& json, const SweepPlan& plan,
                                        const std::string& trace) {
  const auto options_of = [&](const JsonObject& options) {
    return read_options(options, plan.path, plan, json.has("seeds"));
  };
  std::vector<GivenSetting> base;
  if (json.has("options")) {
    const JsonObject options = json.object("options");
    if (options.has(kTrace)) options.refuse(kTrace, "stands beside \"options\", or in a variant");
    base = options_of(options);
  }
  if (!json.has("variants")) return {{"", base, trace}};
  const JsonObject variants = json.object("variants");
  std::vector<SweepVariant> read;
  for (const std::string& name : variants.keys()) {
    check_name(variants, name);
    const JsonObject variant = variants.object(name);
    const bool own = variant.has(kTrace);
    read.push_back({name, merged(base, options_of(variant)),
                    own ? read_variant_trace(variant, plan.path, trace) : trace});
  }
  if (read.empty()) json.refuse("variants", "names none");
  return read;
}

/// Whether each seed has requests of its own.
bool is_drawn(const SweepVariant& variant) {
  return is_workload_plan(variant.trace) ||
         std::any_of(variant.options.begin(), variant.options.end(),
                     [](const GivenSetting& given) { return given.name == "resample"; });
}

std::vector<std::uint64_t> read_seeds(const JsonObject& json, const SweepPlan& plan) {
  std::vector<std::uint64_t> seeds;
  if (!json.has("seeds")) return seeds;
  if (!std::all_of(plan.variants.begin(), plan.variants.end(), is_drawn)) {
    json.refuse("seeds",
                "a recorded trace has no sampling error: seeds go with workload plans or, in the "
                "options, \"resample\"");
  }
  if (json.raw("seeds").starts_with('[')) {
    for (const std::int64_t seed : json.integers("seeds", 0, kMostSeed)) {
      seeds.push_back(static_cast<std::uint64_t>(seed));
    }
    if (seeds.empty()) json.refuse("seeds", "names none");
  } else {
    const std::int64_t count = json.integer("seeds", 1, kMostSeeds);
    const std::string& trace = plan.variants.front().trace;
    const std::uint64_t first =
        is_workload_plan(trace) ? read_workload_plan(trace).seed.value_or(1) : 1;
    for (std::int64_t i = 0; i < count; ++i) {
      seeds.push_back(first + static_cast<std::uint64_t>(i));
    }
  }
  refuse_repeated(json, "seeds", seeds);
  return seeds;
}

}  // namespace

SweepPlan read_sweep_plan(const std::string& path) {
  SweepPlan plan;
  plan.path = path;
  plan.text = contents(path);
  const JsonObject json = JsonFile::parse(plan.text, path);
  const std::string trace = read_trace_name(json, path);
  if (json.has("policies")) plan.policies = json.strings("policies");
  if (json.has("systems")) plan.systems = json.strings("systems");
  if (plan.policies.empty() && plan.systems.empty()) {
    json.refuse("policies", "no policy and no system is named");
  }
  for (const std::string& policy : plan.policies) {
    at_key(json, "policies", [&] { compose_policy(policy); });
  }
  for (const std::string& system : plan.systems) {
    at_key(json, "systems", [&] { read_named_system(system); });
  }
  refuse_repeated(json, "policies", plan.policies);
  refuse_repeated(json, "systems", plan.systems);
  if (json.has("request_rates")) {
    plan.request_rates = json.numbers("request_rates", kLeastRate, kMostRate);
    if (plan.request_rates.empty()) json.refuse("request_rates", "names none");
    refuse_repeated(json, "request_rates", plan.request_rates);
  }
  if (json.has("requests")) {
    plan.requests = json.integers("requests", 1, kMostRequests);
    if (plan.requests.size() != plan.request_rates.size()) {
      json.refuse("requests", fmt::format("{} numbers for {} request rates", plan.requests.size(),
                                          plan.request_rates.size()));
    }
    if (is_workload_plan(trace)) {
      const std::int64_t drawn = read_workload_plan(trace).requests;
      const std::int64_t most = *std::ranges::max_element(plan.requests);
      if (drawn > 0 && most > drawn) {
        json.refuse("requests", fmt::format("{}, and the trace has {}", most, drawn));
      }
    }
  }
  plan.variants = read_variants(json, plan, trace);
  plan.seeds = read_seeds(json, plan);
  json.refuse_unread();
  return plan;
}

}  // namespace tokenyard
