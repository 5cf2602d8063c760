#include "engine/layers/row_pass.hpp"

#include <algorithm>
#include <cmath>

#include "engine/kernels/elementwise.hpp"

namespace tokenyard {
namespace {

/// Products of attention that one worker has done before others would have begun.
constexpr std::int64_t kAttentionForOne = 1 << 15;

Epilogue with_bias(const std::vector<float>& bias) {
  return {.bias = bias.empty() ? nullptr : bias.data()};
}

Epilogue added_with_bias(const std::vector<float>& bias) {
  return {.bias = bias.empty() ? nullptr : bias.data(), .add = true};
}

}  // namespace

RowPass::RowPass(const ModelConfig& config, Workers& workers)
    : config_(config),
      workers_(workers),
      query_columns_(std::int64_t{config.heads} * config.head_dim),
      kv_columns_(std::int64_t{config.kv_heads} * config.head_dim),
      activations_(config),
      angles_(config.rope_frequencies),
      scratch_(static_cast<std::size_t>(workers.count())) {}

InputRows RowPass::residual_in() const {
  return {activations_.residual(), count_, activations_.residual_stride()};
}
OutputRows RowPass::residual_out() const {
  return {activations_.residual(), activations_.residual_stride()};
}
InputRows RowPass::normed_in() const {
  return {activations_.normed(), count_, activations_.normed_stride()};
}
OutputRows RowPass::normed_out() const {
  return {activations_.normed(), activations_.normed_stride()};
}

void RowPass::begin(const StepRows& rows, KvCache& cache) {
  step_rows_ = &rows;
  cache_ = &cache;
  count_ = rows.count();
  activations_.resize(count_);
  if (config_.positions == PositionKind::rope) angles_.set(rows.positions);
  plan_attention(rows.chunks);
}

void RowPass::plan_attention(std::span<const AttentionSequence> chunks) {
  plan_.emplace(*cache_, config_.heads, chunks);
  attention_work_ = 0;
  for (const AttentionSequence& chunk : chunks) {
    attention_work_ += chunk.queries * (chunk.first_position + chunk.queries) * query_columns_;
  }
}

void RowPass::write_keys(const PackedLayer& layer, std::int32_t number) {
  share_rows(config_.hidden, [&](Part part) {
    normalize(config_.norm, layer.attention_norm.with(config_.norm_epsilon), config_.hidden,
              residual_in(), normed_out(), part);
  });
  const OutputRows wide{activations_.wide(), activations_.wide_stride()};
  multiply(layer.query_key_value, normed_in(), wide, workers_,
           with_bias(layer.query_key_value_bias));
  const std::int64_t columns = query_columns_ + 2 * kv_columns_;
  share_rows(columns, [&](Part part) {
    if (config_.qkv_clip > 0) clamp(config_.qkv_clip, columns, wide, part);
    if (config_.positions == PositionKind::rope) {
      angles_.rotate(config_.rope_pairs, config_.heads + config_.kv_heads, wide, part);
    }
    step_rows_->for_chunks(
        part.begin, part.end,
        [&](const AttentionSequence& chunk, std::int64_t first, std::int64_t tokens) {
          const float* keys = wide.data + (chunk.first_row + first) * wide.stride + query_columns_;
          cache_->write(number, chunk.blocks, chunk.first_position + first, tokens,
                        {keys, keys + kv_columns_, wide.stride});
        });
  });
}

void RowPass::keep_logit_rows() {
  const auto& rows = step_rows_->logit_rows;
  if (static_cast<std::int64_t>(rows.size()) == count_) return;
  count_ = 0;
  last_tokens_.clear();
  auto chunk = step_rows_->chunks.begin();
  for (const std::int64_t row : rows) {
    while (row >= chunk->first_row + chunk->queries) ++chunk;
    const std::int64_t position = step_rows_->positions[static_cast<std::size_t>(row)];
    last_tokens_.push_back(
        {.blocks = chunk->blocks, .first_position = position, .queries = 1, .first_row = count_});
    // A row only moves towards the beginning, past rows that are given up or have moved already.
    std::copy_n(activations_.residual() + row * activations_.residual_stride(), config_.hidden,
                activations_.residual() + count_ * activations_.residual_stride());
    std::copy_n(activations_.wide() + row * activations_.wide_stride(), query_columns_,
                activations_.wide() + count_ * activations_.wide_stride());
    ++count_;
  }
  plan_attention(last_tokens_);
}

void RowPass::finish(const PackedLayer& layer, std::int32_t number) {
  if (count_ == 0) return;
  attend_all(number);
  multiply(layer.output, normed_in(), residual_out(), workers_, added_with_bias(layer.output_bias));
  feed_forward(layer);
}

void RowPass::attend_all(std::int32_t layer) {
  const AttentionArrays arrays{
      .queries = {activations_.wide(), count_, activations_.wide_stride()},
      .outputs = normed_out(),
      .scale = 1.0F / std::sqrt(static_cast<float>(config_.head_dim)),
      .alibi_slopes = config_.alibi_slopes,
  };
  const auto work = [&](int worker, int workers) {
    attend(*plan_, layer, plan_->part_of(worker, workers), arrays,
           scratch_[static_cast<std::size_t>(worker)]);
  };
  if (attention_work_ <= kAttentionForOne) {
    work(0, 1);
  } else {
    workers_.run(work);
  }
}

void RowPass::feed_forward(const PackedLayer& layer) {
  share_rows(config_.hidden, [&](Part part) {
    normalize(config_.norm, layer.feed_forward_norm.with(config_.norm_epsilon), config_.hidden,
              residual_in(), normed_out(), part);
  });
  const OutputRows wide{activations_.wide(), activations_.wide_stride()};
  multiply(layer.up, normed_in(), wide, workers_, with_bias(layer.up_bias));
  const InputRows inner{wide.data, count_, wide.stride};
  const InputRows up{wide.data + config_.feed_forward, count_, wide.stride};
  share_rows(config_.feed_forward, [&](Part part) {
    if (config_.gated) {
      activate_gated(config_.activation, config_.feed_forward, inner, up, wide, part);
    } else {
      activate(config_.activation, config_.feed_forward, inner, wide, part);
    }
  });
  multiply(layer.down, inner, residual_out(), workers_, added_with_bias(layer.down_bias));
}

}  // namespace tokenyard
