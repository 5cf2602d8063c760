#include "models/linear_cost_model.hpp"

#include "models/charge.hpp"

namespace tokenyard {

LinearCostModel LinearCostModel::from_json(const JsonObject& file) {
  constexpr double kMost = 1e6;  // eleven days: anything above is a slip of the unit
  file.choice("kind", {"linear"});
  LinearCoefficients read;
  read.iteration_s = file.number_or("iteration_s", 0, kMost, 0);
  read.prefill_token_s = file.number_or("prefill_token_s", 0, kMost, 0);
  read.prefill_quadratic_s = file.number_or("prefill_quadratic_s", 0, kMost, 0);
  read.decode_sequence_s = file.number_or("decode_sequence_s", 0, kMost, 0);
  read.context_token_s = file.number_or("context_token_s", 0, kMost, 0);
  read.swap_block_s = file.number_or("swap_block_s", 0, kMost, 0);
  read.copy_block_s = file.number_or("copy_block_s", 0, kMost, 0);
  file.refuse_unread();
  return LinearCostModel(read);
}

Duration LinearCostModel::iteration(const IterationLoad& load) const {
  const LinearCoefficients& c = coefficients_;
  return charge(c.iteration_s + c.prefill_token_s * static_cast<double>(load.prefill_tokens) +
                c.prefill_quadratic_s * static_cast<double>(load.prefill_context_product) +
                c.decode_sequence_s * static_cast<double>(load.decode_sequences) +
                c.context_token_s * static_cast<double>(load.decode_context_tokens) +
                c.copy_block_s * static_cast<double>(load.copied_blocks));
}

Duration LinearCostModel::copy(std::int64_t blocks) const {
  return charge(coefficients_.swap_block_s * static_cast<double>(blocks));
}

}  // namespace tokenyard
