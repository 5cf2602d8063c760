#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "models/collectives.hpp"
#include "models/device_spec.hpp"
#include "models/model_spec.hpp"
#include "models/parallel_layout.hpp"
#include "models/topology.hpp"
#include "sim/kernel/time.hpp"

namespace tokenyard {

/// How long KV blocks take from one server to another of the same kind. Each device sends its part
/// to its counterpart, all at once; the slowest of the stages decides. Immutable, so safe to share
/// between threads.
class KvTransfer {
 public:
  /// Every two devices are joined by the link that their file states. Throws an `InputError` where
  /// there is none.
  KvTransfer(const ModelSpec& model, const DeviceSpec& device, const Parallelism& parallelism,
             std::int64_t block_tokens);
  /// Server r has the devices of `topology` from r times those of one on. Throws an `InputError`
  /// where `servers` need more.
  KvTransfer(const ModelSpec& model, Topology topology, const Parallelism& parallelism,
             std::int64_t block_tokens, std::size_t servers);

  Duration of(std::int64_t blocks, std::size_t from, std::size_t to) const;

 private:
  KvTransfer(const ModelSpec& model, const Parallelism& parallelism, std::int64_t block_tokens);

  Parallelism parallelism_;
  std::vector<double> stage_block_bytes_;  ///< a device's part of a block, by stage
  TransferTime link_;                      ///< where there is no topology
  std::optional<Topology> topology_;
};

}  // namespace tokenyard
