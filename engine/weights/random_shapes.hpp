#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tokenyard {

/// A model that needs no checkpoint: its weights are drawn.
struct RandomShape {
  std::string_view name;
  std::string_view dtype;   ///< unless another is asked for: "f32" or "bf16"
  std::string_view config;  ///< as a config.json would describe it
};

/// The shapes that `random:NAME` may name.
const std::vector<RandomShape>& random_shapes();

}  // namespace tokenyard
