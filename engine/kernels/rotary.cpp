#include "engine/kernels/rotary.hpp"

#include <cmath>

#include "sim/kernel/invariant.hpp"

namespace tokenyard {
namespace {

/// Elements i and i + pairs.
void rotate_halves(float* head, std::int64_t pairs, const float* cosines, const float* sines) {
  float* low = head;
  float* high = head + pairs;
  for (std::int64_t i = 0; i < pairs; ++i) {
    const float a = low[i], b = high[i];
    low[i] = a * cosines[i] - b * sines[i];
    high[i] = b * cosines[i] + a * sines[i];
  }
}

/// Elements 2i and 2i + 1.
void rotate_adjacent(float* head, std::int64_t pairs, const float* cosines, const float* sines) {
  for (std::int64_t i = 0; i < pairs; ++i) {
    const float a = head[2 * i], b = head[2 * i + 1];
    head[2 * i] = a * cosines[i] - b * sines[i];
    head[2 * i + 1] = b * cosines[i] + a * sines[i];
  }
}

}  // namespace

RotaryAngles::RotaryAngles(std::span<const float> frequencies)
    : frequencies_(frequencies.begin(), frequencies.end()) {}

void RotaryAngles::set(std::span<const std::int64_t> positions) {
  rows_ = static_cast<std::int64_t>(positions.size());
  cosines_.resize(positions.size() * frequencies_.size());
  sines_.resize(cosines_.size());
  std::size_t at = 0;
  for (const std::int64_t position : positions) {
    for (const float frequency : frequencies_) {
      const double angle = static_cast<double>(position) * static_cast<double>(frequency);
      cosines_[at] = static_cast<float>(std::cos(angle));
      sines_[at] = static_cast<float>(std::sin(angle));
      ++at;
    }
  }
}

void RotaryAngles::rotate(RopePairs pairs, std::int64_t heads, OutputRows y, Part rows) const {
  invariant(rows.begin >= 0 && rows.end <= rows_, "rotary: rows have angles", "[{}, {}) of {}",
            rows.begin, rows.end, rows_);
  const auto count = static_cast<std::int64_t>(frequencies_.size());
  for (std::int64_t row = rows.begin; row < rows.end; ++row) {
    const float* cosines = cosines_.data() + row * count;
    const float* sines = sines_.data() + row * count;
    for (std::int64_t head = 0; head < heads; ++head) {
      float* at = y.data + row * y.stride + head * 2 * count;
      if (pairs == RopePairs::halves) {
        rotate_halves(at, count, cosines, sines);
      } else {
        rotate_adjacent(at, count, cosines, sines);
      }
    }
  }
}

}  // namespace tokenyard
