#include "tests/reference/formulas.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>
#include <numeric>

namespace tokenyard::test {

double rounded_to_bf16(double value) {
  const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(value));
  const std::uint32_t below_half = 0x7fffU + ((bits >> 16U) & 1U);
  return std::bit_cast<float>((bits + below_half) & 0xffff0000U);
}

Vector product(const Linear& linear, const Vector& x) {
  Vector y;
  auto row = linear.weights.begin();
  for (std::int64_t i = 0; i < linear.outputs; ++i, row += linear.inputs) {
    const double bias = linear.bias.empty() ? 0 : linear.bias[static_cast<std::size_t>(i)];
    y.push_back(std::inner_product(x.begin(), x.end(), row, bias));
  }
  return y;
}

Vector normalised(const Norm& norm, NormKind kind, double epsilon, const Vector& x) {
  const auto count = static_cast<double>(x.size());
  const double mean =
      kind == NormKind::layer ? std::accumulate(x.begin(), x.end(), 0.0) / count : 0;
  double squares = 0;
  for (const double value : x) squares += (value - mean) * (value - mean);
  const double deviation = std::sqrt(squares / count + epsilon);
  Vector y;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double shift = norm.shift.empty() ? 0 : norm.shift[i];
    y.push_back((x[i] - mean) / deviation * norm.scale[i] + shift);
  }
  return y;
}

double activated(Activation activation, double x) {
  switch (activation) {
    case Activation::relu:
      return std::max(x, 0.0);
    case Activation::gelu:
      return x * 0.5 * (1 + std::erf(x / std::numbers::sqrt2));
    case Activation::gelu_tanh:
      return x * 0.5 *
             (1 + std::tanh(std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
    case Activation::silu:
      return x / (1 + std::exp(-x));
  }
  return std::nan("");
}

void rotate(std::span<double> head, std::int64_t position, std::span<const float> frequencies,
            RopePairs pairs) {
  for (std::size_t i = 0; i < frequencies.size(); ++i) {
    const bool adjacent = pairs == RopePairs::adjacent;
    double& first = head[adjacent ? 2 * i : i];
    double& second = head[adjacent ? 2 * i + 1 : i + frequencies.size()];
    const double angle = static_cast<double>(position) * frequencies[i];
    const double turned = first * std::cos(angle) - second * std::sin(angle);
    second = first * std::sin(angle) + second * std::cos(angle);
    first = turned;
  }
}

Vector softmax(Vector scores) {
  const double greatest = *std::max_element(scores.begin(), scores.end());
  double sum = 0;
  for (double& score : scores) sum += score = std::exp(score - greatest);
  for (double& score : scores) score /= sum;
  return scores;
}

}  // namespace tokenyard::test
