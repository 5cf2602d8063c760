#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sim/kernel/strict_json.hpp"

namespace tokenyard {

/// A way through the interconnect, one direction of each link on it.
struct LinkPath {
  double latency_s = 0;            ///< sum over its links
  std::vector<std::size_t> links;  ///< in order
};

/// What several paths that are used at once give each of them.
struct SharedPaths {
  double latency_s = 0;              ///< of the longest
  double bandwidth_bytes_per_s = 0;  ///< of the narrowest place: a link's divided by its users
};

/// Which accelerators there are and what joins them: a graph of devices, hosts and switches whose
/// links have a bandwidth each way and a latency, from a data file `topologies/NAME.json` that
/// states its sources (format: docs/file-formats.md). Messages take the path that delivers a
/// mebibyte first (Dijkstra), never through another device. Devices are numbered in the order of
/// the file. Immutable, so safe to share between threads.
class Topology {
 public:
  /// Throws `InputError` for a link to nowhere, a device without a host, or devices that cannot
  /// reach one another.
  explicit Topology(const JsonObject& file);
  ~Topology();
  Topology(Topology&&) noexcept;
  Topology& operator=(Topology&&) noexcept;

  const std::string& name() const { return name_; }
  const std::string& source() const { return source_; }
  /// What an operation among devices takes beside its messages: its launch, and that all are there.
  double operation_s() const { return operation_s_; }
  std::size_t devices() const { return devices_.size(); }
  /// The number of the box (a chassis) that the device is in, from 0.
  std::size_t box(std::size_t device) const;
  /// The nodes' names, of the devices in their order.
  const std::string& device_name(std::size_t device) const;

  /// From device to device; no links from one to itself.
  LinkPath path(std::size_t from, std::size_t to) const;
  /// From the device to the host that it reaches first, and back.
  LinkPath to_host(std::size_t device) const;
  LinkPath from_host(std::size_t device) const;

  /// What messages on all these paths at once get. Paths without links take no time and are left
  /// out; if there is no other, the bandwidth is infinite.
  SharedPaths together(std::span<const LinkPath> paths) const;

 private:
  struct Graph;

  void find_paths();

  std::string name_;
  std::string source_;
  double operation_s_ = 0;
  std::unique_ptr<Graph> graph_;
  std::vector<std::size_t> devices_;  ///< their nodes
};

/// The topology NAME of `data`/topologies, or of a file where `name` ends in .json. Throws
/// `InputError`.
Topology load_topology(const std::filesystem::path& data, std::string_view name);

/// The names of the topologies in `data`/topologies, sorted.
std::vector<std::string> list_topologies(const std::filesystem::path& data);

}  // namespace tokenyard
