#include "models/kv_transfer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "models/charge.hpp"
#include "sim/kernel/input_error.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

KvTransfer::KvTransfer(const ModelSpec& model, const Parallelism& parallelism,
                       std::int64_t block_tokens)
    : parallelism_(parallelism) {
  const auto block_bytes =
      static_cast<double>(kv_bytes_per_token_and_device(model, parallelism.tensor) * block_tokens);
  for (const StageShare& share : stage_shares(model, parallelism)) {
    stage_block_bytes_.push_back(block_bytes * static_cast<double>(share.layers) /
                                 static_cast<double>(model.layers));
  }
}

KvTransfer::KvTransfer(const ModelSpec& model, const DeviceSpec& device,
                       const Parallelism& parallelism, std::int64_t block_tokens)
    : KvTransfer(model, parallelism, block_tokens) {
  if (device.link_bandwidth_bytes_per_s <= 0) {
    throw InputError(fmt::format(
        "--prefill-replicas: {} has no link over which KV could go to another; name a --topology",
        device.name));
  }
  link_ = {device.link_latency_s,
           1 / (device.link_bandwidth_bytes_per_s * device.efficiencies.link)};
}

KvTransfer::KvTransfer(const ModelSpec& model, Topology topology, const Parallelism& parallelism,
                       std::int64_t block_tokens, std::size_t servers)
    : KvTransfer(model, parallelism, block_tokens) {
  const std::size_t needed = servers * parallelism.devices();
  if (topology.devices() < needed) {
    throw InputError(
        fmt::format("--replicas: {} replicas of {} devices each need {}, and {} has {}", servers,
                    parallelism.devices(), needed, printable(topology.name()), topology.devices()));
  }
  topology_ = std::move(topology);
}

Duration KvTransfer::of(std::int64_t blocks, std::size_t from, std::size_t to) const {
  double slowest_s = 0;
  const auto tensor = static_cast<std::size_t>(parallelism_.tensor);
  for (std::size_t stage = 0; stage < stage_block_bytes_.size(); ++stage) {
    TransferTime time = link_;
    if (topology_) {
      const auto devices_of = [&](std::size_t server) {
        std::vector<std::size_t> devices(tensor);
        std::iota(devices.begin(), devices.end(), server * parallelism_.devices() + stage * tensor);
        return devices;
      };
      time = point_to_point(*topology_, devices_of(from), devices_of(to));
    }
    const double bytes = stage_block_bytes_[stage] * static_cast<double>(blocks);
    slowest_s = std::max(slowest_s, time.at(bytes));
  }
  return charge(slowest_s);
}

}  // namespace tokenyard
