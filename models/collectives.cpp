#include "models/collectives.hpp"

#include <algorithm>
#include <limits>
#include <map>

#include "sim/kernel/invariant.hpp"

namespace tokenyard {

namespace {

using Devices = std::vector<std::size_t>;

double real(std::size_t count) {
  return static_cast<double>(count);
}

/// What each device's messages to its right neighbour get, in several rings at once.
SharedPaths in_rings(const Topology& topology, std::span<const Devices> rings) {
  std::vector<LinkPath> paths;
  for (const Devices& ring : rings) {
    for (std::size_t i = 0; i < ring.size(); ++i) {
      paths.push_back(topology.path(ring[i], ring[(i + 1) % ring.size()]));
    }
  }
  return topology.together(paths);
}

/// So many steps of parts of a message, `parts` to the whole.
TransferTime steps(std::size_t count, const SharedPaths& each, std::size_t parts) {
  return {real(count) * each.latency_s, real(count) / real(parts) / each.bandwidth_bytes_per_s};
}

TransferTime sum(const TransferTime& a, const TransferTime& b) {
  return {a.latency_s + b.latency_s, a.byte_s + b.byte_s};
}

/// A binary tree in the order of the group; the second tree is its mirror image, so that who is
/// inside one is a leaf of the other.
TransferTime two_trees(const Topology& topology, std::span<const std::size_t> devices) {
  const std::size_t n = devices.size();
  std::vector<LinkPath> paths;
  std::size_t depth = 0;
  while ((std::size_t{1} << depth) < n) ++depth;
  for (std::size_t i = 1; i < n; ++i) {
    const std::size_t parent = (i - 1) / 2;
    paths.push_back(topology.path(devices[i], devices[parent]));
    paths.push_back(topology.path(devices[n - 1 - i], devices[n - 1 - parent]));
  }
  // Up: each edge carries half the message. Down: the same, the other way.
  const SharedPaths shared = topology.together(paths);
  return {2 * real(depth) * shared.latency_s, 2 * 0.5 / shared.bandwidth_bytes_per_s};
}

/// The group's devices by box; empty unless there are several boxes with as many each.
std::vector<Devices> by_box(const Topology& topology, std::span<const std::size_t> devices) {
  std::map<std::size_t, Devices> boxes;
  for (const std::size_t device : devices) boxes[topology.box(device)].push_back(device);
  std::vector<Devices> rings;
  for (const auto& [box, members] : boxes) {
    if (members.size() != boxes.begin()->second.size()) return {};
    rings.push_back(members);
  }
  if (rings.size() < 2) return {};
  return rings;
}

TransferTime by_boxes(const Topology& topology, std::span<const Devices> boxes) {
  const std::size_t inside = boxes.front().size();
  std::vector<Devices> across(inside);
  for (const Devices& box : boxes) {
    for (std::size_t i = 0; i < inside; ++i) across[i].push_back(box[i]);
  }
  // Reduce-scatter, the rings across with an inside-th part each, all-gather.
  TransferTime time =
      steps(2 * (boxes.size() - 1), in_rings(topology, across), boxes.size() * inside);
  if (inside > 1) time = sum(time, steps(2 * (inside - 1), in_rings(topology, boxes), inside));
  return time;
}

}  // namespace

double fastest(std::span<const TransferTime> ways, double bytes) {
  if (ways.empty()) return 0;
  double least = std::numeric_limits<double>::infinity();
  for (const TransferTime& way : ways) least = std::min(least, way.at(bytes));
  return least;
}

std::vector<TransferTime> all_reduce_ways(const Topology& topology,
                                          std::span<const std::size_t> devices) {
  const std::size_t n = devices.size();
  if (n < 2) return {};
  const Devices ring(devices.begin(), devices.end());
  std::vector<TransferTime> ways;
  ways.push_back(steps(2 * (n - 1), in_rings(topology, {&ring, 1}), n));
  ways.push_back(two_trees(topology, devices));
  const std::vector<Devices> boxes = by_box(topology, devices);
  if (!boxes.empty()) ways.push_back(by_boxes(topology, boxes));
  for (TransferTime& way : ways) way.latency_s += topology.operation_s();
  return ways;
}

TransferTime all_gather(const Topology& topology, std::span<const std::size_t> devices) {
  const std::size_t n = devices.size();
  if (n < 2) return {};
  const Devices ring(devices.begin(), devices.end());
  return sum({topology.operation_s(), 0}, steps(n - 1, in_rings(topology, {&ring, 1}), n));
}

TransferTime point_to_point(const Topology& topology, std::span<const std::size_t> from,
                            std::span<const std::size_t> to) {
  invariant(from.size() == to.size(), "groups of one size", "{} and {} devices", from.size(),
            to.size());
  std::vector<LinkPath> paths;
  for (std::size_t i = 0; i < from.size(); ++i) paths.push_back(topology.path(from[i], to[i]));
  const SharedPaths shared = topology.together(paths);
  return {topology.operation_s() + shared.latency_s, 1 / shared.bandwidth_bytes_per_s};
}

TransferTime host_copy(const Topology& topology, std::span<const std::size_t> devices) {
  std::vector<LinkPath> out, in;
  for (const std::size_t device : devices) {
    out.push_back(topology.to_host(device));
    in.push_back(topology.from_host(device));
  }
  const SharedPaths outwards = topology.together(out), inwards = topology.together(in);
  return {std::max(outwards.latency_s, inwards.latency_s),
          1 / std::min(outwards.bandwidth_bytes_per_s, inwards.bandwidth_bytes_per_s)};
}

}  // namespace tokenyard
