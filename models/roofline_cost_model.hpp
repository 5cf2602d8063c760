#pragma once

#include "models/cost_floor.hpp"
#include "models/device_spec.hpp"
#include "models/model_spec.hpp"
#include "models/parallel_layout.hpp"
#include "sim/ports/cost_model.hpp"

namespace tokenyard {

/// What the parts of an iteration take, in seconds. They run one after the other.
struct RooflineTerms {
  double overhead_s = 0;           ///< per iteration and per layer
  double linear_s = 0;             ///< the matrix products of all layers
  double prefill_attention_s = 0;  ///< of new prompt tokens over their context
  double decode_attention_s = 0;   ///< reading the KV of decoding sequences
  double activation_s = 0;         ///< norms, activation functions, residual sums, KV writes
  double output_layer_s = 0;       ///< logits of the sequences that may yield a token
  double all_reduce_s = 0;         ///< of tensor parallelism
  double block_copies_s = 0;       ///< copy-on-write

  double total_s() const {
    return overhead_s + linear_s + prefill_attention_s + decode_attention_s + activation_s +
           output_layer_s + all_reduce_s + block_copies_s;
  }
};

/// Iteration times from the shapes of a model and the rates of a device: each part takes as long as
/// its scarcer resource, max(FLOPs / rate, bytes / bandwidth) (Williams, Waterman and Patterson,
/// "Roofline", CACM 52(4), 2009), with the efficiency factors that the device's file states.
///
/// With n tokens in the iteration, on each of the tp devices:
/// - linear layers: max(2 n W, bytes of W), W = the layers' matrix weights / tp;
/// - prefill attention: 4 x (query columns / tp) x layers FLOPs for each pair of a token and one it
///   attends to, against reading the context's KV once. Attention is causal: a whole prompt of c
///   tokens has about c²/2 pairs, a chunk c after p earlier tokens c p + c²/2. The load holds sums
///   over sequences only, so sum(c p) is taken as (sum c)(sum p)/sequences: exact for one prefill,
///   for whole prompts and for equal chunks;
/// - decode attention: the context's KV, read once. Its FLOPs stay below its bytes' time by far;
/// - activations: 10 hidden-sized vectors a token and layer read or written by norms and residual
///   sums, twice queries and keys for rotary positions, 2 (gated: 3) feed-forward-sized ones, and
///   the KV written, at the activation efficiency;
/// - output layer: max(2 r V H, bytes of V H) / tp for r rows, one a decoding sequence and one a
///   prefill (also where a chunk does not end its prompt: the difference is below measuring);
/// - tensor parallelism as in Megatron-LM (Shoeybi et al., arXiv 1909.08053, section 3): two
///   all-reduces a layer over n x hidden elements, by the fastest of the ways that the links allow;
/// - fixed overheads a layer and an iteration;
/// - copy-on-write: a block is read and written at the memory's bandwidth.
/// A copy between device and host takes what the links say, each device moving its own share.
/// Of a pipeline one object is one stage: it has the overhead of an iteration if it is the first,
/// and the output layer if it is the last.
///
/// An evaluation is a few multiplications. Immutable, so safe to share between threads.
class RooflineCostModel final : public CostModel, public FlooredCost {
 public:
  /// Throws an `InputError` if the model cannot be cut into `tensor_parallel` parts, or the device
  /// has no link for more than one. Whether the weights fit is not asked here (kv_pool_size.hpp).
  /// A KV block holds `block_tokens` tokens.
  RooflineCostModel(const ModelSpec& model, const DeviceSpec& device, int tensor_parallel,
                    std::int64_t block_tokens = 16);
  /// One stage of a pipeline, with these links.
  RooflineCostModel(const ModelSpec& model, const DeviceSpec& device, int tensor_parallel,
                    const StageShare& share, const StageLinks& links, std::int64_t block_tokens);

  Duration iteration(const IterationLoad& load) const override;
  void repeat(IterationLoad load, const Repeat& repeat, Time now,
              std::vector<Time>& ends) const override;
  Duration copy(std::int64_t blocks) const override;
  /// Two planes, one for each side of the linear layers' maximum: that of the weights' bytes, and
  /// that of the tokens' FLOPs. See docs/lower-bound.md.
  std::vector<CostFloor> floors() const override;

  /// The parts of `iteration`'s sum before rounding; all 0 for an empty load.
  RooflineTerms terms(const IterationLoad& load) const;

 private:
  double overhead_s_ = 0;
  double linear_token_s_ = 0;    ///< compute of one token
  double linear_weights_s_ = 0;  ///< streaming the weights once
  double attended_pair_s_ = 0;
  double context_token_s_ = 0;  ///< reading one token's KV
  double activation_token_s_ = 0;
  double output_row_s_ = 0;
  double output_weights_s_ = 0;
  std::vector<TransferTime> all_reduce_;  ///< the ways for all layers, by tokens
  TransferTime host_copy_;                ///< by blocks
  double device_copy_block_s_ = 0;        ///< from block to block
};

}  // namespace tokenyard
