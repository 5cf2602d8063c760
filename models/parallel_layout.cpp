#include "models/parallel_layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "sim/kernel/input_error.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

std::vector<StageShare> stage_shares(const ModelSpec& model, const Parallelism& parallelism) {
  check_tensor_parallel(model, parallelism.tensor);
  const std::int64_t stages = parallelism.pipeline;
  if (stages < 1 || stages > model.layers) {
    throw InputError(fmt::format("pipeline parallelism: {} stages for the {} layers of {}", stages,
                                 model.layers, model.name));
  }
  std::vector<StageShare> shares;
  for (std::int64_t stage = 0; stage < stages; ++stage) {
    const std::int64_t more = stage < model.layers % stages ? 1 : 0;
    shares.push_back({model.layers / stages + more, stage == 0, stage + 1 == stages});
  }
  return shares;
}

std::int64_t stage_weight_bytes(const ModelSpec& model, const StageShare& share) {
  std::int64_t parameters = share.layers * model.layer_parameters();
  if (share.first) parameters += model.embedding_parameters();
  if (share.last) {
    const bool shared = model.tied_embeddings && share.first;
    parameters += model.norm_parameters() + (shared ? 0 : model.output_matrix_parameters());
  }
  return parameters * model.dtype_bytes;
}

std::vector<StageLinks> links_of_device(const DeviceSpec& device, const Parallelism& parallelism) {
  const double bandwidth = device.link_bandwidth_bytes_per_s * device.efficiencies.link;
  if (parallelism.devices() > 1 && bandwidth <= 0) {
    throw InputError(fmt::format("{} parallelism: {} has no link to a second device",
                                 parallelism.tensor > 1 ? "tensor" : "pipeline", device.name));
  }
  StageLinks links;
  const double devices = parallelism.tensor;
  if (parallelism.tensor > 1) {
    // The file's latency is that of a whole collective operation.
    links.all_reduce = {{device.link_latency_s, 2 * (devices - 1) / devices / bandwidth}};
  }
  links.host_copy.byte_s =
      1 / (device.host_link_bandwidth_bytes_per_s * device.efficiencies.host_link);
  std::vector<StageLinks> stages(static_cast<std::size_t>(parallelism.pipeline), links);
  for (std::size_t stage = 0; stage + 1 < stages.size(); ++stage) {
    stages[stage].to_next = {device.link_latency_s, 1 / bandwidth};
  }
  return stages;
}

std::vector<StageLinks> links_of_topology(const Topology& topology, const Parallelism& parallelism,
                                          std::size_t first) {
  const auto tensor = static_cast<std::size_t>(parallelism.tensor);
  if (first + parallelism.devices() > topology.devices()) {
    throw InputError(fmt::format("{} has {} devices; {} x {} are needed{}",
                                 printable(topology.name()), topology.devices(), parallelism.tensor,
                                 parallelism.pipeline,
                                 first > 0 ? fmt::format(" behind the first {}", first) : ""));
  }
  std::vector<std::size_t> devices(parallelism.devices());
  std::iota(devices.begin(), devices.end(), first);
  std::vector<StageLinks> stages;
  for (std::size_t at = 0; at < devices.size(); at += tensor) {
    const auto stage = std::span(devices).subspan(at, tensor);
    StageLinks links{all_reduce_ways(topology, stage), host_copy(topology, stage), {}};
    if (at + tensor < devices.size()) {
      links.to_next =
          point_to_point(topology, stage, std::span(devices).subspan(at + tensor, tensor));
    }
    stages.push_back(std::move(links));
  }
  return stages;
}

}  // namespace tokenyard
