#include "tests/reference/reference_model.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

namespace tokenyard::test {
namespace {

std::vector<Vector> read_rows(const TensorView& view) {
  std::vector<Vector> rows;
  std::vector<float> row(static_cast<std::size_t>(view.columns));
  for (std::int64_t i = 0; i < view.rows; ++i) {
    view.read_row(i, row);
    rows.emplace_back(row.begin(), row.end());
  }
  return rows;
}

Vector read_vector(const TensorView& view) {
  return view.empty() ? Vector() : read_rows(view).at(0);
}

void add(Vector& sum, const Vector& x) {
  std::transform(sum.begin(), sum.end(), x.begin(), sum.begin(), std::plus<>());
}

void round_all(Vector& values) {
  std::transform(values.begin(), values.end(), values.begin(), rounded_to_bf16);
}

/// One head's part of a vector of several heads.
template <typename Values>
auto part(Values& values, std::int64_t head, std::int64_t head_dim) {
  return std::span(values).subspan(static_cast<std::size_t>(head * head_dim),
                                   static_cast<std::size_t>(head_dim));
}

}  // namespace

ReferenceModel::ReferenceModel(const ModelWeights& weights, Bf16Rounding rounding)
    : config_(weights.config), rounding_(rounding) {
  const auto read_norm = [](const TensorView& scale, const TensorView& shift) {
    return Norm{read_vector(scale), read_vector(shift)};
  };
  embedding_ = read_rows(weights.embedding);
  position_embedding_ = read_rows(weights.position_embedding);
  embedding_norm_ = read_norm(weights.embedding_norm_scale, weights.embedding_norm_shift);
  final_norm_ = read_norm(weights.final_norm_scale, weights.final_norm_shift);
  head_ = read_linear(weights.head, {});
  for (const LayerWeights& from : weights.layers) {
    layers_.push_back(
        {.attention_norm = read_norm(from.attention_norm_scale, from.attention_norm_shift),
         .feed_forward_norm = read_norm(from.feed_forward_norm_scale, from.feed_forward_norm_shift),
         .query = read_linear(from.query, from.query_bias),
         .key = read_linear(from.key, from.key_bias),
         .value = read_linear(from.value, from.value_bias),
         .output = read_linear(from.output, from.output_bias),
         .gate = read_linear(from.gate, from.gate_bias),
         .up = read_linear(from.up, from.up_bias),
         .down = read_linear(from.down, from.down_bias)});
  }
}

Linear ReferenceModel::read_linear(const TensorView& matrix, const TensorView& bias) const {
  Linear linear{
      .outputs = matrix.rows, .inputs = matrix.columns, .weights = {}, .bias = read_vector(bias)};
  for (const Vector& row : read_rows(matrix)) {
    linear.weights.insert(linear.weights.end(), row.begin(), row.end());
  }
  if (rounding_.weights) round_all(linear.weights);
  return linear;
}

ReferenceHistory ReferenceModel::begin() const {
  ReferenceHistory history;
  history.layers.resize(layers_.size());
  return history;
}

Vector ReferenceModel::norm(const Norm& norm, const Vector& x) const {
  return normalised(norm, config_.norm, config_.norm_epsilon, x);
}

Vector ReferenceModel::multiply(const Linear& linear, Vector x) const {
  if (rounding_.activations) round_all(x);
  return product(linear, x);
}

Vector ReferenceModel::embed(Token token, std::int64_t position) const {
  Vector x = embedding_.at(static_cast<std::size_t>(token));
  if (config_.positions == PositionKind::learned) {
    const std::int64_t row = position + config_.position_offset;
    add(x, position_embedding_.at(static_cast<std::size_t>(row)));
  }
  return config_.embedding_norm ? norm(embedding_norm_, x) : x;
}

Vector ReferenceModel::step(Token token, ReferenceHistory& history) const {
  Vector x = embed(token, history.length);
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const Layer& layer = layers_[i];
    add(x, attention(layer, norm(layer.attention_norm, x), history.layers[i]));
    add(x, feed_forward(layer, norm(layer.feed_forward_norm, x)));
  }
  ++history.length;
  return multiply(head_, norm(final_norm_, x));
}

Vector ReferenceModel::attention(const Layer& layer, const Vector& x,
                                 ReferenceHistory::Layer& history) const {
  const auto position = static_cast<std::int64_t>(history.keys.size());
  const auto project = [&](const Linear& linear, bool rotated) {
    Vector y = multiply(linear, x);
    if (config_.qkv_clip > 0) {
      const double most = config_.qkv_clip;
      for (double& value : y) value = std::clamp(value, -most, most);
    }
    if (rotated && config_.positions == PositionKind::rope) {
      for (std::int64_t head = 0; head < linear.outputs / config_.head_dim; ++head) {
        rotate(part(y, head, config_.head_dim), position, config_.rope_frequencies,
               config_.rope_pairs);
      }
    }
    return y;
  };
  const Vector query = project(layer.query, true);
  history.keys.push_back(project(layer.key, true));
  history.values.push_back(project(layer.value, false));
  if (rounding_.kv) {
    round_all(history.keys.back());
    round_all(history.values.back());
  }
  Vector heads;
  for (std::int64_t head = 0; head < config_.heads; ++head) {
    const Vector seen = attend(part(query, head, config_.head_dim), head, history);
    heads.insert(heads.end(), seen.begin(), seen.end());
  }
  return multiply(layer.output, heads);
}

/// Vaswani et al., arXiv 1706.03762, eq. 1, for the last position and one head; groups of query
/// heads share a KV head (Ainslie et al., arXiv 2305.13245).
Vector ReferenceModel::attend(std::span<const double> query, std::int64_t head,
                              const ReferenceHistory::Layer& history) const {
  const std::int64_t kv_head = head / (config_.heads / config_.kv_heads);
  Vector scores;
  for (std::size_t position = 0; position < history.keys.size(); ++position) {
    const auto key = part(history.keys[position], kv_head, config_.head_dim);
    double score = 0;
    for (std::size_t i = 0; i < key.size(); ++i) score += query[i] * key[i];
    score /= std::sqrt(static_cast<double>(config_.head_dim));
    if (config_.positions == PositionKind::alibi) {
      const auto distance = static_cast<double>(history.keys.size() - 1 - position);
      score -= config_.alibi_slopes[static_cast<std::size_t>(head)] * distance;
    }
    scores.push_back(score);
  }
  const Vector weights = softmax(std::move(scores));
  Vector sum(static_cast<std::size_t>(config_.head_dim));
  for (std::size_t position = 0; position < weights.size(); ++position) {
    const auto value = part(history.values[position], kv_head, config_.head_dim);
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += weights[position] * value[i];
  }
  return sum;
}

Vector ReferenceModel::feed_forward(const Layer& layer, const Vector& x) const {
  Vector inner = multiply(config_.gated ? layer.gate : layer.up, x);
  for (double& value : inner) value = activated(config_.activation, value);
  if (config_.gated) {
    const Vector up = multiply(layer.up, x);
    std::transform(inner.begin(), inner.end(), up.begin(), inner.begin(), std::multiplies<>());
  }
  return multiply(layer.down, inner);
}

std::vector<Vector> ReferenceModel::logits(std::span<const Token> tokens) const {
  ReferenceHistory history = begin();
  std::vector<Vector> all;
  for (const Token token : tokens) all.push_back(step(token, history));
  return all;
}

GreedyTokens ReferenceModel::greedy(std::span<const Token> prompt, std::size_t steps) const {
  ReferenceHistory history = begin();
  Vector last;
  for (const Token token : prompt) last = step(token, history);
  GreedyTokens greedy;
  while (greedy.tokens.size() < steps) {
    const auto best = std::max_element(last.begin(), last.end());
    const auto token = static_cast<Token>(best - last.begin());
    const double greatest = *best;
    *best = -INFINITY;
    greedy.tokens.push_back(token);
    greedy.gaps.push_back(greatest - *std::max_element(last.begin(), last.end()));
    if (greedy.tokens.size() < steps) last = step(token, history);
  }
  return greedy;
}

}  // namespace tokenyard::test
