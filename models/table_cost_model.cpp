#include "models/table_cost_model.hpp"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "models/attended_pairs.hpp"
#include "models/charge.hpp"

namespace tokenyard {

namespace {

enum Part : unsigned { kTokens = 1, kAllReduce = 2, kPrefill = 4, kDecode = 8 };

double real(std::int64_t count) {
  return static_cast<double>(count);
}

/// What `beyond` says of the parts that a table may have, and of what no table has.
struct Estimate {
  double tokens_s = 0;
  double all_reduce_s = 0;
  double prefill_attention_s = 0;
  double decode_attention_s = 0;
  double rest_s = 0;
};

Estimate estimate(const LinearCostModel& linear, const IterationLoad& load) {
  const LinearCoefficients& c = linear.coefficients();
  Estimate parts;
  parts.tokens_s = c.iteration_s + c.prefill_token_s * real(load.prefill_tokens) +
                   c.decode_sequence_s * real(load.decode_sequences);
  parts.prefill_attention_s = c.prefill_quadratic_s * real(load.prefill_context_product);
  parts.decode_attention_s = c.context_token_s * real(load.decode_context_tokens);
  parts.rest_s = c.copy_block_s * real(load.copied_blocks);
  return parts;
}

Estimate estimate(const RooflineCostModel& roofline, const IterationLoad& load) {
  const RooflineTerms terms = roofline.terms(load);
  return {terms.linear_s + terms.activation_s, terms.all_reduce_s, terms.prefill_attention_s,
          terms.decode_attention_s, terms.output_layer_s + terms.block_copies_s};
}

/// Tokens alone, without anything to attend to.
IterationLoad only_tokens(double tokens) {
  IterationLoad load;
  load.prefill_tokens = static_cast<std::int64_t>(tokens);
  return load;
}

double pairs_of(double chunk, double earlier) {
  return chunk * (chunk / 2 + earlier);
}

/// The one chunk that stands for a load's prefills.
double equal_chunk(const IterationLoad& load, double earlier) {
  return std::sqrt(earlier * earlier + 2 * attended_pairs(load)) - earlier;
}

std::string range_words(const MeasuredGrid& grid, const char* x, const char* y) {
  double most = 0;
  for (const auto& row : grid.rows()) most = std::max(most, row.curve.points().back());
  return fmt::format("{} to {} {} and up to {} {}", grid.rows().front().x, grid.rows().back().x, x,
                     most, y);
}

}  // namespace

TableCostModel::TableCostModel(CostTable table, Beyond beyond)
    : table_(std::move(table)), beyond_(std::move(beyond)) {}

/// The parts that go by the number of tokens in the iteration.
double TableCostModel::tokens_s(double tokens, unsigned& left) const {
  bool left_tokens = false, left_all_reduce = false;
  double seconds = table_.tokens.value(
      tokens,
      [&](double at) {
        return std::visit(
            [&](const auto& model) { return estimate(model, only_tokens(at)).tokens_s; }, beyond_);
      },
      left_tokens);
  if (table_.all_reduce) {
    seconds += table_.all_reduce->value(
        tokens, [](double at) { return at; }, left_all_reduce);
  }
  left |= (left_tokens ? kTokens : 0U) | (left_all_reduce ? kAllReduce : 0U);
  return seconds;
}

Duration TableCostModel::iteration(const IterationLoad& load) const {
  if (load.prefill_sequences == 0 && load.decode_sequences == 0) return Duration{0};
  const Estimate other =
      std::visit([&](const auto& model) { return estimate(model, load); }, beyond_);
  unsigned left = 0;
  bool left_prefill = false, left_decode = false;
  double seconds = table_.iteration_s + other.rest_s +
                   tokens_s(real(load.prefill_tokens + load.decode_sequences), left);
  if (!table_.all_reduce) seconds += other.all_reduce_s;
  if (!table_.prefill_attention) {
    seconds += other.prefill_attention_s;
  } else if (load.prefill_sequences > 0) {
    const double earlier =
        real(load.prefill_context_tokens - load.prefill_tokens) / real(load.prefill_sequences);
    seconds += table_.prefill_attention->value(equal_chunk(load, earlier), earlier, pairs_of,
                                               left_prefill);
  }
  if (!table_.decode_attention) {
    seconds += other.decode_attention_s;
  } else if (load.decode_sequences > 0) {
    const double sequences = real(load.decode_sequences);
    seconds += table_.decode_attention->value(
        sequences, real(load.decode_context_tokens) / sequences,
        [](double of, double context) { return of * context; }, left_decode);
  }
  left |= (left_prefill ? kPrefill : 0U) | (left_decode ? kDecode : 0U);
  // Looked at first, so that threads do not fight over the line.
  if ((left & ~left_.load(std::memory_order_relaxed)) != 0) {
    left_.fetch_or(left, std::memory_order_relaxed);
  }
  return charge(seconds);
}

Duration TableCostModel::copy(std::int64_t blocks) const {
  return std::visit([&](const auto& model) { return model.copy(blocks); }, beyond_);
}

std::string TableCostModel::left_range() const {
  const unsigned left = left_.load(std::memory_order_relaxed);
  if (left == 0) return "";
  std::string parts;
  const auto add = [&](const std::string& part) { parts += (parts.empty() ? "" : "; ") + part; };
  const auto tokens_of = [](const char* name, const MeasuredCurve& curve) {
    return fmt::format("{} at {} to {} tokens", name, curve.points().front(),
                       curve.points().back());
  };
  if ((left & kTokens) != 0) add(tokens_of("token-wise operators", table_.tokens));
  if ((left & kAllReduce) != 0) add(tokens_of("all-reduce", *table_.all_reduce));
  if ((left & kPrefill) != 0) {
    add("prefill attention at " + range_words(*table_.prefill_attention, "tokens", "before them"));
  }
  if ((left & kDecode) != 0) {
    add("decode attention at " +
        range_words(*table_.decode_attention, "sequences", "tokens of context"));
  }
  return fmt::format(
      "costs were asked for outside what was measured ({}): below it the least measured time "
      "holds, above it goes on as {} does",
      parts,
      std::holds_alternative<RooflineCostModel>(beyond_) ? "the roofline" : "the linear form");
}

}  // namespace tokenyard
