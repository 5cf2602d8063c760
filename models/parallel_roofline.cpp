#include "models/parallel_roofline.hpp"

#include "models/pipeline_cost_model.hpp"
#include "models/roofline_cost_model.hpp"
#include "sim/kernel/invariant.hpp"

namespace tokenyard {

std::unique_ptr<CostModel> make_roofline(const ModelSpec& model, const DeviceSpec& device,
                                         const Parallelism& parallelism,
                                         std::span<const StageLinks> links,
                                         std::int64_t block_tokens) {
  const std::vector<StageShare> shares = stage_shares(model, parallelism);
  invariant(links.size() == shares.size(), "a stage has its links", "{} stages, links of {}",
            shares.size(), links.size());
  const auto stage_cost = [&](std::size_t stage) {
    return std::make_unique<RooflineCostModel>(model, device, parallelism.tensor, shares[stage],
                                               links[stage], block_tokens);
  };
  if (shares.size() == 1) return stage_cost(0);
  const auto token_bytes = static_cast<double>(model.hidden * model.dtype_bytes);
  std::vector<PipelineCostModel::Stage> stages;
  for (std::size_t stage = 0; stage < shares.size(); ++stage) {
    const TransferTime& to_next = links[stage].to_next;
    stages.push_back({stage_cost(stage), {to_next.latency_s, to_next.byte_s * token_bytes}});
  }
  return std::make_unique<PipelineCostModel>(std::move(stages));
}

}  // namespace tokenyard
