#include "experiments/cli/list_command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "experiments/cli/command_line.hpp"
#include "experiments/data_files.hpp"
#include "experiments/named_system.hpp"
#include "experiments/record/summary.hpp"
#include "models/collectives.hpp"
#include "models/device_spec.hpp"
#include "models/length_predictors.hpp"
#include "models/model_spec.hpp"
#include "models/topology.hpp"
#include "policies/catalogue.hpp"
#include "sim/kernel/input_error.hpp"
#include "sim/kernel/text.hpp"
#include "sim/server/routers.hpp"
#include "traces/arrivals.hpp"
#include "traces/lengths.hpp"

namespace tokenyard {

namespace {

using Json = nlohmann::ordered_json;

/// One name of a list.
struct Entry {
  std::string name;
  std::string text;  ///< what people are told beside it
  Json facts;        ///< what programs are told instead, member by member
  std::vector<Parameters::Declared> parameters;
  std::vector<std::pair<std::string, std::string>> lines;  ///< more for people, each with its head
};

/// The facts of something about which there is a line of words and no number.
Json summary_json(std::string_view summary) {
  return {{"summary", summary}};
}

/// Something with a name, a line about it and parameters.
template <typename Described>
std::vector<Entry> described(const std::vector<Described>& all) {
  std::vector<Entry> entries;
  for (const Described& each : all) {
    entries.push_back({each.name, each.summary, summary_json(each.summary), each.parameters, {}});
  }
  return entries;
}

std::vector<Entry> policies() {
  std::vector<Entry> entries;
  for (const PolicyEntry* entry : policy_catalogue()) {
    Parameters parameters = Parameters::parse(std::string("policy ") + entry->name, "");
    const bool predicts = entry->make(parameters)->needs().length_predictor;
    const std::string summary = entry->summary;
    Json facts = summary_json(summary);
    facts["needs_length_predictor"] = predicts;
    entries.push_back({entry->name,
                       summary + (predicts ? "; needs a length predictor" : ""),
                       std::move(facts),
                       parameters.declared(),
                       {}});
  }
  return entries;
}

std::vector<Entry> routers() {
  std::vector<Entry> entries;
  for (const RouterEntry& entry : router_entries()) {
    Parameters parameters = Parameters::parse(std::string("router ") + entry.name, "");
    entry.make(parameters, 0);
    entries.push_back(
        {entry.name, entry.summary, summary_json(entry.summary), parameters.declared(), {}});
  }
  return entries;
}

std::vector<Entry> systems() {
  std::vector<Entry> entries;
  for (const std::string& name : named_systems()) {
    const NamedSystem system = read_named_system(name);
    Json facts = summary_json(system.summary);
    facts["policy"] = system.policy;
    facts["settings"] = Json::object();
    std::string settings;
    for (const GivenSetting& given : system.settings) {
      facts["settings"][given.name] = given.value;
      settings += fmt::format("{}{}={}", settings.empty() ? "" : " ", given.name, given.value);
    }
    facts["source"] = system.source;
    entries.push_back(
        {name,
         system.summary,
         std::move(facts),
         {},
         {{"policy", system.policy}, {"settings", settings}, {"source", system.source}}});
  }
  return entries;
}

std::vector<Entry> models() {
  const auto data = data_directory() / "models";
  std::vector<Entry> entries;
  for (const std::string& name : list_models(data)) {
    const ModelSpec model = load_model_spec(data, name);
    entries.push_back(
        {name,
         fmt::format("{:>7.2f} B parameters, {:>3} layers, context {:>6}, KV {:>7.1f} "
                     "KiB a token",
                     static_cast<double>(model.parameters()) * 1e-9, model.layers, model.context,
                     static_cast<double>(model.kv_bytes_per_token()) / 1024),
         {{"weights", model.parameters()},
          {"layers", model.layers},
          {"context_tokens", model.context},
          {"kv_token_bytes", model.kv_bytes_per_token()}},
         {},
         {}});
  }
  return entries;
}

std::vector<Entry> devices() {
  const auto data = data_directory() / "models";
  std::vector<Entry> entries;
  for (const std::string& name : list_devices(data)) {
    const DeviceSpec device = load_device_spec(data, name);
    entries.push_back(
        {name,
         fmt::format("{:>4.0f} GiB, {:>5.0f} GB/s, {:>4.0f} TFLOP/s",
                     static_cast<double>(device.memory_bytes) / (1LL << 30),
                     device.memory_bandwidth_bytes_per_s * 1e-9, device.flops_per_s * 1e-12),
         {{"memory_bytes", device.memory_bytes},
          {"memory_bandwidth_bytes_per_s", device.memory_bandwidth_bytes_per_s},
          {"flops_per_s", device.flops_per_s}},
         {},
         {}});
  }
  return entries;
}

std::vector<Entry> topologies() {
  constexpr double kGigabyte = 1e9, kLarge = 1e8;
  const auto data = data_directory() / "models";
  std::vector<Entry> entries;
  for (const std::string& name : list_topologies(data)) {
    const Topology topology = load_topology(data, name);
    std::vector<std::size_t> numbers(topology.devices());
    std::iota(numbers.begin(), numbers.end(), 0);
    const double host = 1 / host_copy(topology, numbers).byte_s;
    std::string text = fmt::format("{:>2} devices, copies to the host {:>5.1f} GB/s each",
                                   numbers.size(), host / kGigabyte);
    Json facts = {{"devices", numbers.size()}, {"host_copy_bytes_per_s", host}};
    if (numbers.size() > 1) {
      const double all_reduce = kLarge / fastest(all_reduce_ways(topology, numbers), kLarge);
      text += fmt::format(", all-reduce {:>5.1f} GB/s", all_reduce / kGigabyte);
      facts["all_reduce_bytes_per_s"] = all_reduce;
    }
    entries.push_back({name, std::move(text), std::move(facts), {}, {}});
  }
  return entries;
}

std::vector<Entry> metrics() {
  std::vector<Entry> entries;
  for (const std::string& name : metric_names()) {
    entries.push_back({name, "", Json::object(), {}, {}});
  }
  return entries;
}

/// A list of names, of what takes parameters, or of what is told in columns.
struct Listing {
  const char* name;
  std::vector<Entry> (*entries)();
  enum class Kind { named, described, table } kind;
};

using Kind = Listing::Kind;

constexpr Listing kListings[] = {
    {"policies", policies, Kind::described},
    {"systems", systems, Kind::named},
    {"models", models, Kind::table},
    {"devices", devices, Kind::table},
    {"topologies", topologies, Kind::table},
    {"routers", routers, Kind::described},
    {"predictors", [] { return described(describe_predictors()); }, Kind::described},
    {"arrivals", [] { return described(list_arrivals()); }, Kind::described},
    {"lengths", [] { return described(list_lengths()); }, Kind::described},
    {"metrics", metrics, Kind::named},
};

void print(const Listing& listing) {
  const std::vector<Entry> entries = listing.entries();
  std::size_t width = 0;
  for (const Entry& entry : entries) width = std::max(width, entry.name.size());
  if (listing.kind != Kind::table) width = 0;
  for (const Entry& entry : entries) {
    if (entry.text.empty()) {
      fmt::print("{}\n", entry.name);
    } else {
      fmt::print("{:<{}}  {}\n", entry.name, width, entry.text);
    }
    for (const auto& [head, text] : entry.lines) fmt::print("    {:<8}  {}\n", head, text);
    std::size_t column = 0;
    for (const auto& p : entry.parameters) column = std::max(column, p.name.size());
    for (const auto& p : entry.parameters) {
      fmt::print("    {:<{}}  {} ({}; {})\n", p.name, column, p.help, p.fallback, p.range);
    }
  }
}

Json json_of(const Listing& listing) {
  Json list = Json::array();
  for (const Entry& entry : listing.entries()) {
    Json json = {{"name", entry.name}};
    json.update(entry.facts);
    if (listing.kind == Kind::described) json["parameters"] = Json::array();
    for (const auto& p : entry.parameters) {
      json["parameters"].push_back({{"name", p.name},
                                    {"type", p.type},
                                    {"default", p.fallback},
                                    {"range", p.range},
                                    {"help", p.help}});
    }
    list.push_back(std::move(json));
  }
  return list;
}

}  // namespace

int run_list_command(const std::vector<std::string>& arguments) {
  const std::vector<OptionRow> rows = {
      {"json", "", "machine-readable, one object; without a name all the lists"},
      {"help", "", "this text"}};
  const CommandLine line("list", arguments, rows);
  std::vector<std::string> names;
  for (const Listing& listing : kListings) names.emplace_back(listing.name);
  if (line.flag("help")) {
    fmt::print(
        "tokenyard list {}\n\nPrints the names that commands take, with their parameters "
        "(default; range).\n\n{}",
        fmt::join(names, "|"), options_help(rows));
    return 0;
  }
  const auto& wanted = line.positionals();
  const bool all = wanted.empty() && line.flag("json");
  if (wanted.size() != 1 && !all) {
    line.refuse(fmt::format("expected one of {}", fmt::join(names, ", ")));
  }
  if (!all && std::ranges::find(names, wanted.front()) == names.end()) {
    line.refuse(fmt::format("unknown list '{}'{}; there are {}", printable(wanted.front()),
                            suggestion(wanted.front(), names), fmt::join(names, ", ")));
  }
  Json lists;
  for (const Listing& listing : kListings) {
    if (!all && wanted.front() != listing.name) continue;
    if (line.flag("json")) {
      lists[listing.name] = json_of(listing);
    } else {
      print(listing);
    }
  }
  if (line.flag("json")) fmt::print("{}\n", lists.dump(2));
  return 0;
}

}  // namespace tokenyard
