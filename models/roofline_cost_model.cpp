#include "models/roofline_cost_model.hpp"

#include <algorithm>
#include <cmath>

#include "models/attended_pairs.hpp"
#include "models/charge.hpp"

namespace tokenyard {

namespace {

double real(std::int64_t count) {
  return static_cast<double>(count);
}

/// Elements that the small kernels of one layer read and write for one token, on one device. The
/// norms and residual sums work on whole rows: tensor parallelism does not divide them.
double activation_elements(const ModelSpec& model, double devices, double kv_columns) {
  const double norms_and_sums = 10 * real(model.hidden);  // 2 norms of 2, 2 sums of 3
  const double rotary = model.positions == Positions::rope
                            ? 2 * (real(model.query_columns()) / devices + kv_columns)
                            : 0;
  const double feed_forward = (model.gated ? 3 : 2) * real(model.feed_forward) / devices;
  return norms_and_sums + rotary + feed_forward + 2 * kv_columns;
}

}  // namespace

RooflineCostModel::RooflineCostModel(const ModelSpec& model, const DeviceSpec& device,
                                     int tensor_parallel, std::int64_t block_tokens)
    : RooflineCostModel(model, device, tensor_parallel,
                        stage_shares(model, {tensor_parallel, 1}).front(),
                        links_of_device(device, {tensor_parallel, 1}).front(), block_tokens) {}

RooflineCostModel::RooflineCostModel(const ModelSpec& model, const DeviceSpec& device,
                                     int tensor_parallel, const StageShare& share,
                                     const StageLinks& links, std::int64_t block_tokens) {
  const double devices = tensor_parallel;
  const double layers = real(share.layers);
  const double bytes = real(model.dtype_bytes);
  const Efficiencies& reached = device.efficiencies;
  const double flops_per_s = device.flops_per_s * reached.compute;
  const double bytes_per_s = device.memory_bandwidth_bytes_per_s * reached.memory;

  overhead_s_ = (share.first ? device.iteration_overhead_s : 0) + layers * device.layer_overhead_s;

  const double linear = layers * real(model.layer_matrix_parameters()) / devices;
  linear_token_s_ = 2 * linear / flops_per_s;
  linear_weights_s_ = linear * bytes / bytes_per_s;

  attended_pair_s_ =
      4 * layers * real(model.query_columns()) / devices / (device.flops_per_s * reached.attention);
  const double layer_kv_bytes =
      real(kv_bytes_per_token_and_device(model, tensor_parallel)) / real(model.layers);
  const double kv_bytes = layers * layer_kv_bytes;
  context_token_s_ = kv_bytes / bytes_per_s;
  device_copy_block_s_ = 2 * kv_bytes * real(block_tokens) / bytes_per_s;
  host_copy_ = {links.host_copy.latency_s, kv_bytes * real(block_tokens) * links.host_copy.byte_s};
  const double kv_columns = layer_kv_bytes / (2 * bytes);
  activation_token_s_ = layers * bytes * activation_elements(model, devices, kv_columns) /
                        (device.memory_bandwidth_bytes_per_s * reached.activation);

  if (share.last) {
    const double output = real(model.output_matrix_parameters()) / devices;
    output_row_s_ = 2 * output / flops_per_s;
    output_weights_s_ = output * bytes / bytes_per_s;
  }
  for (const TransferTime& way : links.all_reduce) {
    all_reduce_.push_back(
        {2 * layers * way.latency_s, 2 * layers * way.byte_s * real(model.hidden) * bytes});
  }
}

RooflineTerms RooflineCostModel::terms(const IterationLoad& load) const {
  RooflineTerms terms;
  const double tokens = real(load.prefill_tokens + load.decode_sequences);
  if (tokens == 0) return terms;
  const double rows = real(load.prefill_sequences + load.decode_sequences);
  terms.overhead_s = overhead_s_;
  terms.linear_s = std::max(tokens * linear_token_s_, linear_weights_s_);
  terms.prefill_attention_s = std::max(attended_pairs(load) * attended_pair_s_,
                                       real(load.prefill_context_tokens) * context_token_s_);
  terms.decode_attention_s = real(load.decode_context_tokens) * context_token_s_;
  terms.activation_s = tokens * activation_token_s_;
  terms.output_layer_s = std::max(rows * output_row_s_, output_weights_s_);
  terms.all_reduce_s = fastest(all_reduce_, tokens);
  terms.block_copies_s = real(load.copied_blocks) * device_copy_block_s_;
  return terms;
}

Duration RooflineCostModel::iteration(const IterationLoad& load) const {
  return charge(terms(load).total_s());
}

/// Among decodes, only their attention changes; the sum is in the order of `total_s`.
void RooflineCostModel::repeat(IterationLoad load, const Repeat& repeat, Time now,
                               std::vector<Time>& ends) const {
  if (repeat.prefill_left > 0) return CostModel::repeat(load, repeat, now, ends);
  const RooflineTerms first = terms(load);
  const double before_s = first.overhead_s + first.linear_s + first.prefill_attention_s;
  repeat_from(now, repeat, ends, [&] {
    const double attention_s = real(load.decode_context_tokens) * context_token_s_;
    load.decode_context_tokens += repeat.more_context_tokens;
    return charge(before_s + attention_s + first.activation_s + first.output_layer_s +
                  first.all_reduce_s + first.block_copies_s);
  });
}

Duration RooflineCostModel::copy(std::int64_t blocks) const {
  return charge(host_copy_.at(real(blocks)));
}

std::vector<CostFloor> RooflineCostModel::floors() const {
  TransferTime adding;  // under all ways
  for (const TransferTime& way : all_reduce_) {
    const bool first = &way == &all_reduce_.front();
    adding.latency_s = first ? way.latency_s : std::min(adding.latency_s, way.latency_s);
    adding.byte_s = first ? way.byte_s : std::min(adding.byte_s, way.byte_s);
  }
  CostFloor weights;
  weights.iteration_s = overhead_s_ + linear_weights_s_ + output_weights_s_ + adding.latency_s;
  weights.prefill_token_s = activation_token_s_ + adding.byte_s;
  // At least half of the products of a batch are pairs, whatever its chunks begin behind.
  weights.prefill_quadratic_s = attended_pair_s_ / 2;
  weights.decode_sequence_s = weights.prefill_token_s;
  weights.context_token_s = context_token_s_;
  CostFloor flops = weights;
  flops.iteration_s -= linear_weights_s_;
  flops.prefill_token_s += linear_token_s_;
  flops.decode_sequence_s += linear_token_s_;
  // Prompts alone already take as long as one reading of the weights and what each exceeds it by.
  weights.excess_token_s = linear_token_s_;
  weights.excess_from_s = linear_weights_s_;
  return {weights, flops};
}

}  // namespace tokenyard
