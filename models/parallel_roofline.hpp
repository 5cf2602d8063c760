#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "models/device_spec.hpp"
#include "models/model_spec.hpp"
#include "models/parallel_layout.hpp"
#include "sim/ports/cost_model.hpp"

namespace tokenyard {

/// The roofline costs of a model that is cut over devices of one kind: a `RooflineCostModel`, or of
/// several stages a `PipelineCostModel` of one each. `links` has an entry a stage. Throws an
/// `InputError` for degrees that the model cannot be cut into.
std::unique_ptr<CostModel> make_roofline(const ModelSpec& model, const DeviceSpec& device,
                                         const Parallelism& parallelism,
                                         std::span<const StageLinks> links,
                                         std::int64_t block_tokens);

}  // namespace tokenyard
