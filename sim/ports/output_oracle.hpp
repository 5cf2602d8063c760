#pragma once

#include <cstdint>

#include "sim/ports/ids.hpp"

namespace tokenyard {

/// The truth about output lengths. Handed to executors (which end a request there), to admission
/// and to the clairvoyant ways of reserving memory; no policy can reach it.
class OutputOracle {
 public:
  virtual ~OutputOracle() = default;

  /// The length of the output in tokens, at least 1; of the longest where there are several.
  virtual std::int64_t output_tokens(RequestId request) const = 0;

  /// The length of the output of one of its sequences.
  virtual std::int64_t output_tokens(RequestId request, std::int32_t /*sequence*/) const {
    return output_tokens(request);
  }
};

}  // namespace tokenyard
