#include "engine/transformer.hpp"

#include <algorithm>

#include "engine/kernels/elementwise.hpp"
#include "sim/kernel/invariant.hpp"

namespace tokenyard {
namespace {

/// Most rows that go through the layers together: so few that activations stay in the caches, so
/// many that reading the weights again for the next group costs little beside computing with them.
constexpr std::int64_t kGroupRows = 256;

}  // namespace

Transformer::Transformer(const ModelWeights& weights, GemmKind kind, Workers& workers)
    : config_(weights.config),
      workers_(workers),
      checkpoint_(weights.memory),
      embedding_(weights.embedding),
      position_embedding_(weights.position_embedding),
      embedding_norm_(read_norm(weights.embedding_norm_scale, weights.embedding_norm_shift)),
      final_norm_(read_norm(weights.final_norm_scale, weights.final_norm_shift)),
      head_(weights.head, kind, workers),
      pass_(config_, workers) {
  for (const LayerWeights& layer : weights.layers) {
    layers_.push_back(pack_layer(layer, kind, workers));
  }
}

KvShape Transformer::kv_shape(std::int32_t block_tokens) const {
  return {.layers = config_.layers,
          .kv_heads = config_.kv_heads,
          .head_dim = config_.head_dim,
          .block_tokens = block_tokens,
          .element = kind() == GemmKind::f32 ? ElementType::f32 : ElementType::bf16};
}

std::size_t Transformer::weight_bytes() const {
  std::size_t bytes = head_.bytes();
  for (const PackedLayer& layer : layers_) bytes += layer.bytes();
  return bytes;
}

LogitRows Transformer::forward(std::span<const StepSequence> step, KvCache& cache) {
  const StepSize size = check(step, cache);
  const auto logit_bytes =
      static_cast<std::size_t>(size.logit_rows * config_.vocabulary) * sizeof(float);
  if (logit_bytes > logits_.bytes()) logits_ = HugeBuffer(logit_bytes);
  auto* const logits = reinterpret_cast<float*>(logits_.data());
  // Groups follow one another in the order of positions, each through all layers: when a row
  // attends to a token, its group or one before has written that token's keys and values.
  const auto groups = static_cast<int>((size.rows + kGroupRows - 1) / kGroupRows);
  std::int64_t done = 0;
  for (int group = 0; group < groups; ++group) {
    const Part part = part_of(size.rows, group, groups);
    rows_.take(step, part.begin, part.end);
    pass(cache, logits + done * config_.vocabulary);
    done += static_cast<std::int64_t>(rows_.logit_rows.size());
  }
  return {logits, done, config_.vocabulary};
}

Transformer::StepSize Transformer::check(std::span<const StepSequence> step,
                                         const KvCache& cache) const {
  const KvShape& shape = cache.shape();
  const KvShape needed = kv_shape(shape.block_tokens);
  invariant(shape.layers == needed.layers && shape.kv_heads == needed.kv_heads &&
                shape.head_dim == needed.head_dim && shape.element != ElementType::f16,
            "Transformer: the cache is of this model's shape",
            "{} layers of {} KV heads of {} {} in a cache of {} layers of {} KV heads of {} {}",
            needed.layers, needed.kv_heads, needed.head_dim, element_name(needed.element),
            shape.layers, shape.kv_heads, shape.head_dim, element_name(shape.element));
  StepSize size;
  for (const StepSequence& sequence : step) {
    const auto tokens = static_cast<std::int64_t>(sequence.tokens.size());
    const auto blocks = static_cast<std::int64_t>(sequence.blocks.size());
    invariant(tokens >= 1, "Transformer: a sequence of a step has new tokens", "none");
    invariant(sequence.first_position >= 0 && sequence.first_position <= config_.context - tokens,
              "Transformer: a sequence ends within the context", "{} tokens from {}, context {}",
              tokens, sequence.first_position, config_.context);
    invariant(sequence.first_position + tokens <= blocks * shape.block_tokens,
              "Transformer: a block table covers the tokens",
              "{} tokens from {} in {} blocks of {}", tokens, sequence.first_position, blocks,
              shape.block_tokens);
    for (const BlockId block : sequence.blocks) {
      invariant(static_cast<std::int64_t>(index(block)) < cache.device_blocks(),
                "Transformer: a block exists", "{} of {}", index(block), cache.device_blocks());
    }
    for (const Token token : sequence.tokens) {
      invariant(token >= 0 && token < config_.vocabulary,
                "Transformer: a token is of the vocabulary", "{} of {}", token, config_.vocabulary);
    }
    size.rows += tokens;
    size.logit_rows += sequence.wants_logits ? 1 : 0;
  }
  return size;
}

void Transformer::pass(KvCache& cache, float* logits) {
  pass_.begin(rows_, cache);
  embed();
  for (std::int32_t layer = 0; layer < config_.layers; ++layer) {
    const PackedLayer& weights = layers_[static_cast<std::size_t>(layer)];
    pass_.write_keys(weights, layer);
    if (layer + 1 == config_.layers) pass_.keep_logit_rows();
    pass_.finish(weights, layer);
  }
  pass_.share_rows(config_.hidden, [&](Part part) {
    normalize(config_.norm, final_norm_.with(config_.norm_epsilon), config_.hidden,
              pass_.residual_in(), pass_.normed_out(), part);
  });
  multiply(head_, pass_.normed_in(), {logits, config_.vocabulary}, workers_);
}

void Transformer::embed() {
  const InputRows residual = pass_.residual_in();
  const OutputRows out = pass_.residual_out();
  const OutputRows positions = pass_.normed_out();
  const auto row_of = [this](OutputRows rows, std::int64_t row) {
    return std::span(rows.data + row * rows.stride, static_cast<std::size_t>(config_.hidden));
  };
  pass_.share_rows(config_.hidden, [&](Part part) {
    for (std::int64_t row = part.begin; row < part.end; ++row) {
      const auto at = static_cast<std::size_t>(row);
      embedding_.read_row(rows_.tokens[at], row_of(out, row));
      if (config_.positions == PositionKind::learned) {
        position_embedding_.read_row(rows_.positions[at] + config_.position_offset,
                                     row_of(positions, row));
      }
    }
    if (config_.positions == PositionKind::learned) {
      add(config_.hidden, pass_.normed_in(), out, part);
    }
    if (config_.embedding_norm) {
      normalize(config_.norm, embedding_norm_.with(config_.norm_epsilon), config_.hidden, residual,
                out, part);
    }
  });
}

}  // namespace tokenyard
