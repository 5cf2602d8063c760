#pragma once
// What the tests of checkpoints share: what was loaded, as plain values.

#include <vector>

#include "engine/weights/tensor_view.hpp"
#include "tests/support/files.hpp"

namespace tokenyard::test {

/// A row of a matrix, or the whole of a vector.
inline std::vector<float> row(const TensorView& view, std::int64_t index = 0) {
  std::vector<float> values(static_cast<std::size_t>(view.columns));
  view.read_row(index, values);
  return values;
}

/// All rows, one after another.
inline std::vector<float> all_values(const TensorView& view) {
  std::vector<float> values;
  for (std::int64_t i = 0; i < view.rows; ++i) {
    const auto one = row(view, i);
    values.insert(values.end(), one.begin(), one.end());
  }
  return values;
}

}  // namespace tokenyard::test
