#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/kernels/packed_matrix.hpp"
#include "engine/kernels/workers.hpp"
#include "engine/model_config.hpp"

namespace tokenyard {

/// Rotary position embedding (Su et al., "RoFormer", arXiv 2104.09864, section 3.2.2): pair i of a
/// head is turned by position x frequency i. The angles of a step's rows are computed once and
/// serve all layers and heads. A row's result depends on the row and its position only, and is the
/// same on all CPUs of one C library.
class RotaryAngles {
 public:
  /// `frequencies` are in radians a token, one for each of the head_dim / 2 pairs.
  explicit RotaryAngles(std::span<const float> frequencies);

  /// Sets the positions of a step's rows. Angles, cosines and sines are taken in double precision.
  void set(std::span<const std::int64_t> positions);

  /// Turns `heads` heads that lie one after another from the beginning of each row of
  /// [rows.begin, rows.end), in place. What follows them in the row stays. Workers may run at the
  /// same time on rows that do not overlap.
  void rotate(RopePairs pairs, std::int64_t heads, OutputRows y, Part rows) const;

 private:
  std::vector<float> frequencies_;
  std::int64_t rows_ = 0;
  std::vector<float> cosines_;  ///< [rows][pairs]
  std::vector<float> sines_;
};

}  // namespace tokenyard
