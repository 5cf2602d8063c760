#include "experiments/cli/list_command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
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

/// Prints rows of (name, text), the texts aligned.
void print_rows(const std::vector<std::pair<std::string, std::string>>& rows) {
  std::size_t width = 0;
  for (const auto& [name, text] : rows) width = std::max(width, name.size());
  for (const auto& [name, text] : rows) fmt::print("{:<{}}  {}\n", name, width, text);
}

void print_parameters(const std::vector<Parameters::Declared>& parameters) {
  std::size_t width = 0;
  for (const auto& p : parameters) width = std::max(width, p.name.size());
  for (const auto& p : parameters) {
    fmt::print("    {:<{}}  {} ({}; {})\n", p.name, width, p.help, p.fallback, p.range);
  }
}

/// Something with a name, a line about it and parameters.
template <typename Entries>
void print_described(const Entries& entries) {
  for (const auto& entry : entries) {
    fmt::print("{}  {}\n", entry.name, entry.summary);
    print_parameters(entry.parameters);
  }
}

void list_policies() {
  for (const PolicyEntry* entry : policy_catalogue()) {
    Parameters parameters = Parameters::parse(std::string("policy ") + entry->name, "");
    const auto policy = entry->make(parameters);
    fmt::print("{}  {}{}\n", entry->name, entry->summary,
               policy->needs().length_predictor ? "; needs a length predictor" : "");
    print_parameters(parameters.declared());
  }
}

void list_routers() {
  for (const RouterEntry& entry : router_entries()) {
    Parameters parameters = Parameters::parse(std::string("router ") + entry.name, "");
    entry.make(parameters, 0);
    fmt::print("{}  {}\n", entry.name, entry.summary);
    print_parameters(parameters.declared());
  }
}

void list_systems() {
  for (const std::string& name : named_systems()) {
    const NamedSystem system = read_named_system(name);
    fmt::print("{}  {}\n    policy    {}\n    settings ", name, system.summary, system.policy);
    for (const GivenSetting& given : system.settings) {
      fmt::print(" {}={}", given.name, given.value);
    }
    fmt::print("\n    source    {}\n", system.source);
  }
}

void list_models_by_size() {
  const auto data = data_directory() / "models";
  std::vector<std::pair<std::string, std::string>> rows;
  for (const std::string& name : list_models(data)) {
    const ModelSpec model = load_model_spec(data, name);
    rows.emplace_back(
        name, fmt::format("{:>7.2f} B parameters, {:>3} layers, context {:>6}, KV {:>7.1f} KiB a "
                          "token",
                          static_cast<double>(model.parameters()) * 1e-9, model.layers,
                          model.context, static_cast<double>(model.kv_bytes_per_token()) / 1024));
  }
  print_rows(rows);
}

void list_devices_by_name() {
  const auto data = data_directory() / "models";
  std::vector<std::pair<std::string, std::string>> rows;
  for (const std::string& name : list_devices(data)) {
    const DeviceSpec device = load_device_spec(data, name);
    rows.emplace_back(
        name, fmt::format("{:>4.0f} GiB, {:>5.0f} GB/s, {:>4.0f} TFLOP/s",
                          static_cast<double>(device.memory_bytes) / (1LL << 30),
                          device.memory_bandwidth_bytes_per_s * 1e-9, device.flops_per_s * 1e-12));
  }
  print_rows(rows);
}

void list_topologies_by_name() {
  const auto data = data_directory() / "models";
  std::vector<std::pair<std::string, std::string>> rows;
  for (const std::string& name : list_topologies(data)) {
    const Topology topology = load_topology(data, name);
    std::vector<std::size_t> devices(topology.devices());
    std::iota(devices.begin(), devices.end(), 0);
    constexpr double kGigabyte = 1e9;
    std::string text =
        fmt::format("{:>2} devices, copies to the host {:>5.1f} GB/s each", devices.size(),
                    1 / host_copy(topology, devices).byte_s / kGigabyte);
    if (devices.size() > 1) {
      constexpr double kLarge = 1e8;
      const double seconds = fastest(all_reduce_ways(topology, devices), kLarge);
      text += fmt::format(", all-reduce {:>5.1f} GB/s", kLarge / seconds / kGigabyte);
    }
    rows.emplace_back(name, text);
  }
  print_rows(rows);
}

void list_metrics() {
  for (const std::string& name : metric_names()) fmt::print("{}\n", name);
}

struct Listing {
  const char* name;
  void (*print)();
};

constexpr Listing kListings[] = {
    {"policies", list_policies},
    {"systems", list_systems},
    {"models", list_models_by_size},
    {"devices", list_devices_by_name},
    {"topologies", list_topologies_by_name},
    {"routers", list_routers},
    {"predictors", [] { print_described(describe_predictors()); }},
    {"arrivals", [] { print_described(list_arrivals()); }},
    {"lengths", [] { print_described(list_lengths()); }},
    {"metrics", list_metrics},
};

}  // namespace

int run_list_command(const std::vector<std::string>& arguments) {
  const std::vector<OptionRow> rows = {{"help", "", "this text"}};
  const CommandLine line("list", arguments, rows);
  std::vector<std::string> names;
  for (const Listing& listing : kListings) names.emplace_back(listing.name);
  if (line.flag("help")) {
    fmt::print(
        "tokenyard list {}\n\nPrints the names that commands take, with their parameters "
        "(default; range).\n",
        fmt::join(names, "|"));
    return 0;
  }
  if (line.positionals().size() != 1) {
    line.refuse(fmt::format("expected one of {}", fmt::join(names, ", ")));
  }
  for (const Listing& listing : kListings) {
    if (line.positionals().front() == listing.name) {
      listing.print();
      return 0;
    }
  }
  line.refuse(fmt::format("unknown list '{}'{}; there are {}",
                          printable(line.positionals().front()),
                          suggestion(line.positionals().front(), names), fmt::join(names, ", ")));
}

}  // namespace tokenyard
