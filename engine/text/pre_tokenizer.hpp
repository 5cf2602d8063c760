#pragma once
// From a text to the pieces that merges stay within.

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/text/split_pattern.hpp"

namespace tokenyard {

/// A change of the text before it is split: the first thing done to it.
struct NormalizerStep {
  std::string prepend;  ///< put before a text that is not empty
  std::string replace;  ///< every occurrence of it becomes `by`; empty = nothing is replaced
  std::string by;
  bool nfc = false;  ///< after that, Unicode's Normalization Form C (nfc.hpp)
};

std::string normalized(std::string_view text, std::span<const NormalizerStep> steps);

/// One step of cutting; the next one works on each of its parts.
struct PreTokenizerStep {
  bool prefix_space = false;            ///< a part that does not begin with a space gets one
  std::optional<SplitPattern> pattern;  ///< after that
  std::optional<SplitPattern::Part> dropped;
};

/// Gives the pieces of a text in order.
void pre_tokenize(std::string_view text, std::span<const PreTokenizerStep> steps,
                  const std::function<void(std::string_view piece)>& take);

}  // namespace tokenyard
