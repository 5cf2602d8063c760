#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "models/collectives.hpp"
#include "models/device_spec.hpp"
#include "models/model_spec.hpp"
#include "models/topology.hpp"

namespace tokenyard {

/// How a model is cut over devices: by heads and columns into `tensor` parts (Shoeybi et al.,
/// Megatron-LM, arXiv 1909.08053), by layers into `pipeline` stages. A value type.
struct Parallelism {
  int tensor = 1;
  int pipeline = 1;

  std::size_t devices() const {
    return static_cast<std::size_t>(tensor) * static_cast<std::size_t>(pipeline);
  }
};

/// What one pipeline stage holds.
struct StageShare {
  std::int64_t layers = 0;
  bool first = true;  ///< it has the embedding
  bool last = true;   ///< it has the output layer
};

/// The stages, with layers shared out as evenly as they can be, the earlier stages having one more
/// where they cannot. Throws an `InputError` for degrees that the model cannot be cut into, with
/// the numbers.
std::vector<StageShare> stage_shares(const ModelSpec& model, const Parallelism& parallelism);

/// Bytes of the weights of a stage, on all its devices together. Where input and output share their
/// matrix and are in different stages, both hold it.
std::int64_t stage_weight_bytes(const ModelSpec& model, const StageShare& share);

/// What a stage's devices need to know of what joins them to one another and to the rest.
struct StageLinks {
  std::vector<TransferTime> all_reduce;  ///< the ways to add up; empty for one device
  TransferTime host_copy;                ///< of each device's bytes, all at once
  TransferTime to_next;                  ///< of what each device sends to the next stage
};

/// The links of each stage where devices of one kind stand side by side, each with the links that
/// its file states. Throws an `InputError` where a link is needed that it does not have.
std::vector<StageLinks> links_of_device(const DeviceSpec& device, const Parallelism& parallelism);

/// The same over a topology, whose devices are taken in their order from the `first` on, a stage's
/// side by side. Throws an `InputError` where there are too few.
std::vector<StageLinks> links_of_topology(const Topology& topology, const Parallelism& parallelism,
                                          std::size_t first = 0);

}  // namespace tokenyard
