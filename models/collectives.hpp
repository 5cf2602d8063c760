#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "models/topology.hpp"

namespace tokenyard {

/// What an operation on messages takes: latency_s + bytes x byte_s.
struct TransferTime {
  double latency_s = 0;
  double byte_s = 0;

  double at(double bytes) const { return latency_s + bytes * byte_s; }
};

/// What the fastest of several ways takes; 0 for none.
double fastest(std::span<const TransferTime> ways, double bytes);

/// The ways in which a group of devices can add up a message of so many bytes that each of them
/// holds, each device getting the sum. Beside the topology's time of an operation, with L the
/// latency and B the bandwidth of the paths that are used at once (`Topology::together`), n the
/// group's size:
/// - ring: 2 (n − 1) steps of n-th parts, 2 (n − 1) (L + bytes / (n B)) (Patarasuk and Yuan, JPDC
///   69(2), 2009);
/// - two trees that carry half each, up and down: 2 ceil(log2 n) L + 2 (bytes / 2) / B, where a
/// link
///   to a node with two children has two users (Sanders, Speck and Träff, Parallel Computing
///   35(12), 2009; as NCCL has them), the pipelines' filling left out;
/// - where the devices are in several boxes with as many each: a ring inside the boxes first and
///   last, and rings of the same parts across them between (as Horovod's and NCCL's hierarchical
///   forms), so that all network ports are used at once.
/// Empty for one device.
std::vector<TransferTime> all_reduce_ways(const Topology& topology,
                                          std::span<const std::size_t> devices);

/// Each device of the group gets the parts of all: a ring of n − 1 steps over `bytes` in all.
TransferTime all_gather(const Topology& topology, std::span<const std::size_t> devices);

/// The i-th device of a group sends so many bytes to the i-th of another, all at once. The groups
/// are of one size.
TransferTime point_to_point(const Topology& topology, std::span<const std::size_t> from,
                            std::span<const std::size_t> to);

/// Each device of the group moves so many bytes to the host, or from there, all at once: the slower
/// direction.
TransferTime host_copy(const Topology& topology, std::span<const std::size_t> devices);

}  // namespace tokenyard
