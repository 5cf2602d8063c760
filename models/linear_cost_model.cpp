#include "models/linear_cost_model.hpp"

#include <fmt/format.h>

#include "models/charge.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

namespace {

constexpr struct {
  const char* key;
  double LinearCoefficients::*coefficient;
} kCoefficients[] = {
    {"iteration_s", &LinearCoefficients::iteration_s},
    {"prefill_token_s", &LinearCoefficients::prefill_token_s},
    {"prefill_quadratic_s", &LinearCoefficients::prefill_quadratic_s},
    {"decode_sequence_s", &LinearCoefficients::decode_sequence_s},
    {"context_token_s", &LinearCoefficients::context_token_s},
    {"swap_block_s", &LinearCoefficients::swap_block_s},
    {"copy_block_s", &LinearCoefficients::copy_block_s},
};

}  // namespace

LinearCostModel LinearCostModel::from_json(const JsonObject& file) {
  constexpr double kMost = 1e6;  // eleven days: anything above is a slip of the unit
  file.choice("kind", {"linear"});
  LinearCoefficients read;
  for (const auto& [key, coefficient] : kCoefficients) {
    read.*coefficient = file.number_or(key, 0, kMost, 0);
  }
  file.refuse_unread();
  return LinearCostModel(read);
}

std::string LinearCostModel::to_json() const {
  std::string text = R"({"kind":"linear")";
  for (const auto& [key, coefficient] : kCoefficients) {
    const double value = coefficients_.*coefficient;
    if (value != 0) text += fmt::format(R"(,"{}":{})", key, format_number(value));
  }
  return text + "}";
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

std::vector<CostFloor> LinearCostModel::floors() const {
  CostFloor floor;
  floor.iteration_s = coefficients_.iteration_s;
  floor.prefill_token_s = coefficients_.prefill_token_s;
  floor.prefill_quadratic_s = coefficients_.prefill_quadratic_s;
  floor.decode_sequence_s = coefficients_.decode_sequence_s;
  floor.context_token_s = coefficients_.context_token_s;
  return {floor};
}

}  // namespace tokenyard
