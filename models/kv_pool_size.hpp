#pragma once

#include <cstdint>

#include "models/device_spec.hpp"
#include "models/model_spec.hpp"
#include "models/parallel_layout.hpp"

namespace tokenyard {

/// How many blocks of `block_tokens` tokens fit on each device beside its weights:
///   (0.90 x memory − 0.01 x memory − weights / tp) / (bytes of a block on one device), rounded
/// down: what FastServe's published code does, with vLLM's default of 0.9 of the memory. Weights
/// are taken to divide evenly over the devices of a stage. In a pipeline the stage with the least
/// room decides, since all have a part of each block. Throws an `InputError` with the figures if
/// not one block fits, and for a degree of parallelism that the model cannot have.
std::int64_t kv_pool_blocks(const ModelSpec& model, const DeviceSpec& device,
                            const Parallelism& parallelism, std::int64_t block_tokens);

/// How many blocks of `block_tokens` tokens, of all devices together, fit into the host memory that
/// is set aside for swapped KV.
std::int64_t host_pool_blocks(const ModelSpec& model, const DeviceSpec& device,
                              std::int64_t block_tokens);

}  // namespace tokenyard
