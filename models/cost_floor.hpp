#pragma once
// What iterations cost at least, in a form that bounds on whole schedules can add up.

#include <vector>

namespace tokenyard {

/// A plane under a cost model. Whatever an iteration holds, as long as it holds something, it takes
/// at least, in seconds and before the one rounding to nanoseconds, `iteration_s` and beside it
/// - for each prefill of c tokens up to context k: prefill_token_s c + prefill_quadratic_s c k
///   + max(0, excess_token_s c - excess_from_s);
/// - for each decoding sequence of context k: decode_sequence_s + context_token_s k.
struct CostFloor {
  double iteration_s = 0;
  double prefill_token_s = 0;
  double prefill_quadratic_s = 0;
  double excess_token_s = 0;  ///< of a prefill's tokens beyond those that `iteration_s` pays for
  double excess_from_s = 0;
  double decode_sequence_s = 0;
  double context_token_s = 0;
};

/// A cost model that can say what lies under it. The serving core never asks; experiments do.
class FlooredCost {
 public:
  virtual ~FlooredCost() = default;

  /// One plane or more. Each holds by itself, and so does every average of them.
  virtual std::vector<CostFloor> floors() const = 0;
};

}  // namespace tokenyard
