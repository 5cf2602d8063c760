#include "models/device_spec.hpp"

#include <limits>

#include "models/spec_files.hpp"
#include "sim/kernel/strict_json.hpp"

namespace tokenyard {

namespace {

// Generous bounds that keep every cost finite: a rate of zero would divide by zero.
constexpr double kRateLeast = 1e3;
constexpr double kRateMost = 1e18;

std::filesystem::path folder(const std::filesystem::path& data) {
  return data / "devices";
}

Efficiencies read_efficiencies(const JsonObject& file) {
  constexpr double kLeast = 0.001;
  Efficiencies efficiencies;
  efficiencies.compute = file.number("compute", kLeast, 1);
  efficiencies.attention = file.number("attention", kLeast, 1);
  efficiencies.memory = file.number("memory", kLeast, 1);
  efficiencies.activation = file.number("activation", kLeast, 1);
  efficiencies.link = file.number("link", kLeast, 1);
  efficiencies.host_link = file.number("host_link", kLeast, 1);
  file.refuse_unread();
  return efficiencies;
}

}  // namespace

DeviceSpec load_device_spec(const std::filesystem::path& data, std::string_view name) {
  const JsonObject file = read_spec_file(folder(data), "device", name);
  DeviceSpec device;
  device.name = name;
  device.source = file.string("source");
  device.memory_bytes = file.integer("memory_bytes", 1, std::int64_t{1} << 50);
  device.host_memory_bytes = file.integer("host_memory_bytes", 0, std::int64_t{1} << 50);
  device.memory_bandwidth_bytes_per_s =
      file.number("memory_bandwidth_bytes_per_s", kRateLeast, kRateMost);
  device.flops_per_s = file.number("flops_per_s", kRateLeast, kRateMost);
  device.link_bandwidth_bytes_per_s = file.number("link_bandwidth_bytes_per_s", 0, kRateMost);
  device.link_latency_s = file.number("link_latency_s", 0, 1);
  device.host_link_bandwidth_bytes_per_s =
      file.number("host_link_bandwidth_bytes_per_s", kRateLeast, kRateMost);
  device.efficiencies = read_efficiencies(file.object("efficiencies"));
  device.efficiencies_source = file.string("efficiencies_source");
  device.iteration_overhead_s = file.number("iteration_overhead_s", 0, 1);
  device.layer_overhead_s = file.number("layer_overhead_s", 0, 1);
  device.overheads_source = file.string("overheads_source");
  file.refuse_unread();
  return device;
}

std::vector<std::string> list_devices(const std::filesystem::path& data) {
  return list_spec_names(folder(data));
}

}  // namespace tokenyard
