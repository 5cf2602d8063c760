#pragma once

#include <string>

#include "models/cost_floor.hpp"
#include "sim/kernel/strict_json.hpp"
#include "sim/ports/cost_model.hpp"

namespace tokenyard {

/// The coefficients of a linear cost model, in seconds, none negative.
struct LinearCoefficients {
  double iteration_s = 0;          ///< of every iteration
  double prefill_token_s = 0;      ///< of a new prompt (or recomputed) token
  double prefill_quadratic_s = 0;  ///< of chunk tokens x context
  double decode_sequence_s = 0;    ///< of a decoding sequence
  double context_token_s = 0;      ///< of a token attended to by a decoding sequence
  double swap_block_s = 0;         ///< of a KV block copied to or from the host
  double copy_block_s = 0;         ///< of a KV block copied on the device before a first write
};

/// iteration = a + b x prefill tokens + c x sum(chunk tokens x context) + d x decoding sequences
///             + e x context tokens of decoding sequences,
/// rounded to whole nanoseconds once. With iteration_s alone it is the constant-rate server of
/// queueing theory. Immutable, so safe to share between threads.
class LinearCostModel final : public CostModel, public FlooredCost {
 public:
  explicit LinearCostModel(const LinearCoefficients& coefficients) : coefficients_(coefficients) {}

  /// Reads {"kind":"linear", …}: every coefficient is optional and 0 when left out; unknown keys
  /// are refused by name. Throws `InputError`.
  static LinearCostModel from_json(const JsonObject& file);
  /// The text that reads back as the same model; what is 0 is left out.
  std::string to_json() const;

  Duration iteration(const IterationLoad& load) const override;
  Duration copy(std::int64_t blocks) const override;
  std::vector<CostFloor> floors() const override;  ///< the model itself, without block copies

  const LinearCoefficients& coefficients() const { return coefficients_; }

 private:
  LinearCoefficients coefficients_;
};

}  // namespace tokenyard
