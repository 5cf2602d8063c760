#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace tokenyard {

/// What share of a data-sheet figure real kernels reach, in (0, 1].
struct Efficiencies {
  double compute = 1;     ///< of the FLOP/s, in the matrix products of linear layers
  double attention = 1;   ///< of the FLOP/s, in prefill attention
  double memory = 1;      ///< of the bandwidth, reading weights and KV
  double activation = 1;  ///< of the bandwidth, in norms, activation functions and residual sums
  double link = 1;        ///< of the link, in a ring all-reduce
  double host_link = 1;   ///< of the link to the host, in large copies
};

/// An accelerator (or this CPU), from a data file `devices/NAME.json` that states its sources: the
/// data sheet for the figures, and the reason of each efficiency and overhead. A value type.
struct DeviceSpec {
  std::string name;
  std::string source;
  std::int64_t memory_bytes = 0;
  std::int64_t host_memory_bytes = 0;  ///< set aside for swapped KV
  double memory_bandwidth_bytes_per_s = 0;
  double flops_per_s = 0;                 ///< dense, in the precision of the weights
  double link_bandwidth_bytes_per_s = 0;  ///< one way, to the other devices; 0: there is no link
  double link_latency_s = 0;              ///< of one collective operation
  double host_link_bandwidth_bytes_per_s = 0;  ///< one way
  Efficiencies efficiencies;
  std::string efficiencies_source;
  double iteration_overhead_s = 0;  ///< sampling, input preparation, scheduling
  double layer_overhead_s = 0;      ///< what a layer takes however little there is to do
  std::string overheads_source;
};

/// Reads the device `name` from `data`/devices. Throws `InputError`.
DeviceSpec load_device_spec(const std::filesystem::path& data, std::string_view name);

/// The names of the devices in `data`/devices, sorted.
std::vector<std::string> list_devices(const std::filesystem::path& data);

}  // namespace tokenyard
