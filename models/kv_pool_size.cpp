#include "models/kv_pool_size.hpp"

#include <fmt/format.h>

#include "sim/kernel/input_error.hpp"
#include "sim/kernel/invariant.hpp"

namespace tokenyard {

namespace {

constexpr std::int64_t kUsablePercent = 90 - 1;

double gibibytes(std::int64_t bytes) {
  return static_cast<double>(bytes) / (1 << 30);
}

}  // namespace

std::int64_t kv_pool_blocks(const ModelSpec& model, const DeviceSpec& device, int tensor_parallel,
                            std::int64_t block_tokens) {
  invariant(block_tokens >= 1, "a block holds tokens", "{} tokens a block", block_tokens);
  check_tensor_parallel(model, tensor_parallel);
  const std::int64_t usable =
      device.memory_bytes / 100 * kUsablePercent + device.memory_bytes % 100 * kUsablePercent / 100;
  // A device's share of the weights, rounded up.
  const std::int64_t weights = (model.weight_bytes() + tensor_parallel - 1) / tensor_parallel;
  const std::int64_t block = kv_bytes_per_token_and_device(model, tensor_parallel) * block_tokens;
  if (usable - weights < block) {
    throw InputError(fmt::format(
        "{} does not fit on {} {}: its weights take {:.1f} GiB a device and one KV block of {} "
        "tokens {:.4f} GiB, but only {:.1f} of {:.1f} GiB are usable",
        model.name, tensor_parallel, device.name, gibibytes(weights), block_tokens,
        gibibytes(block), gibibytes(usable), gibibytes(device.memory_bytes)));
  }
  return (usable - weights) / block;
}

std::int64_t host_pool_blocks(const ModelSpec& model, const DeviceSpec& device,
                              std::int64_t block_tokens) {
  return device.host_memory_bytes / (model.kv_bytes_per_token() * block_tokens);
}

}  // namespace tokenyard
