#pragma once

#include "sim/ports/request_view.hpp"

namespace tokenyard {

/// The one door through which a policy learns anything about output lengths. Pure: the same view
/// gives the same answer, whenever and however often it is asked.
class LengthPredictor {
 public:
  virtual ~LengthPredictor() = default;

  /// The predicted length of the whole output in tokens, at least 1, the produced ones included.
  virtual double output_tokens_mean(const RequestView& request) const = 0;

  /// Whether its answer for a request stands while that request goes on.
  virtual bool stands() const { return false; }

  /// Whether its answers derive from the request's own true length. Such runs are labelled.
  virtual bool clairvoyant() const = 0;
};

}  // namespace tokenyard
