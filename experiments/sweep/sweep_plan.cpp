#include "experiments/sweep/sweep_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
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

std::vector<GivenSetting> read_options(const JsonObject& options, const std::string& path,
                                       const SweepPlan& plan, bool has_seeds) {
  std::vector<GivenSetting> read;
  for (const std::string& key : options.keys()) {
    GivenSetting given = read_option(options, key);
    if (given.name == "request-rate" && !plan.request_rates.empty()) {
      options.refuse(key, "the plan has \"request_rates\"");
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

std::vector<SweepVariant> read_variants(const JsonObject& json, const SweepPlan& plan) {
  const auto options_of = [&](const JsonObject& options) {
    return read_options(options, plan.path, plan, json.has("seeds"));
  };
  std::vector<GivenSetting> base;
  if (json.has("options")) base = options_of(json.object("options"));
  if (!json.has("variants")) return {{"", base}};
  const JsonObject variants = json.object("variants");
  std::vector<SweepVariant> read;
  for (const std::string& name : variants.keys()) {
    check_name(variants, name);
    read.push_back({name, merged(base, options_of(variants.object(name)))});
  }
  if (read.empty()) json.refuse("variants", "names none");
  return read;
}

bool resamples(const SweepVariant& variant) {
  return std::any_of(variant.options.begin(), variant.options.end(),
                     [](const GivenSetting& given) { return given.name == "resample"; });
}

std::vector<std::uint64_t> read_seeds(const JsonObject& json, const SweepPlan& plan) {
  std::vector<std::uint64_t> seeds;
  if (!json.has("seeds")) return seeds;
  const bool is_plan = is_workload_plan(plan.trace);
  if (!is_plan && !std::all_of(plan.variants.begin(), plan.variants.end(), resamples)) {
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
    const std::uint64_t first = is_plan ? read_workload_plan(plan.trace).seed.value_or(1) : 1;
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
  plan.trace = read_trace_name(json, path);
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
  plan.variants = read_variants(json, plan);
  plan.seeds = read_seeds(json, plan);
  json.refuse_unread();
  return plan;
}

}  // namespace tokenyard
