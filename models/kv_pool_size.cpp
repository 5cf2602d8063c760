#include "models/kv_pool_size.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "sim/kernel/input_error.hpp"
#include "sim/kernel/invariant.hpp"

namespace tokenyard {

namespace {

constexpr std::int64_t kUsablePercent = 90 - 1;

double gibibytes(std::int64_t bytes) {
  return static_cast<double>(bytes) / (1 << 30);
}

}  // namespace

std::int64_t kv_pool_blocks(const ModelSpec& model, const DeviceSpec& device,
                            const Parallelism& parallelism, std::int64_t block_tokens) {
  invariant(block_tokens >= 1, "a block holds tokens", "{} tokens a block", block_tokens);
  const std::vector<StageShare> shares = stage_shares(model, parallelism);
  const std::int64_t tensor = parallelism.tensor;
  const std::int64_t usable =
      device.memory_bytes / 100 * kUsablePercent + device.memory_bytes % 100 * kUsablePercent / 100;
  const std::int64_t layer_token =
      kv_bytes_per_token_and_device(model, parallelism.tensor) / model.layers;
  std::int64_t blocks = std::numeric_limits<std::int64_t>::max();
  for (std::size_t stage = 0; stage < shares.size(); ++stage) {
    // A device's share of the weights, rounded up.
    const std::int64_t weights = (stage_weight_bytes(model, shares[stage]) + tensor - 1) / tensor;
    const std::int64_t block = layer_token * shares[stage].layers * block_tokens;
    if (usable - weights < block) {
      const std::string which = shares.size() == 1
                                    ? std::string()
                                    : fmt::format(" in stage {} of {}", stage + 1, shares.size());
      throw InputError(fmt::format(
          "{} does not fit on {} {}{}: its weights take {:.1f} GiB a device and one KV block of {} "
          "tokens {:.4f} GiB, but only {:.1f} of {:.1f} GiB are usable",
          model.name, parallelism.devices(), device.name, which, gibibytes(weights), block_tokens,
          gibibytes(block), gibibytes(usable), gibibytes(device.memory_bytes)));
    }
    blocks = std::min(blocks, (usable - weights) / block);
  }
  return blocks;
}

std::int64_t host_pool_blocks(const ModelSpec& model, const DeviceSpec& device,
                              std::int64_t block_tokens) {
  return device.host_memory_bytes / (model.kv_bytes_per_token() * block_tokens);
}

}  // namespace tokenyard
