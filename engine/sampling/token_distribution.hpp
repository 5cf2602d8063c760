#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/sampling/logit_row.hpp"

namespace tokenyard {

/// Which tokens of a row may be drawn. All filters keep a beginning of the row's order (see
/// `RankedToken`), so that ties at their bounds go to the lower ids.
struct Filters {
  double temperature = 1.0;  ///< above 0; logits are divided by it
  std::int32_t top_k = 0;    ///< exactly the so many first; 0 or less = off
  double top_p = 1.0;        ///< the fewest that have at least this share of what the others left
  double min_p = 0.0;        ///< those at least this times as likely as the first
};

/// The probabilities from which one token of a row is drawn, and the drawing. The procedure, of
/// which every step is part of the result:
///  1. A token's weight is e^((logit - greatest) / temperature), in f32; the greatest has 1.
///  2. min_p and top_k set the weights of the others to 0, then top_p does, measured by what those
///     two left: vLLM's order. (min_p compares with the greatest alone, so that its place matters
///     to top_p only.)
///  3. Weights are summed block by block (`LogitRow::kBlock`), the sums added up in order in f64.
///  4. A number u of [0, 1) draws the first token in order of ids at which the running sum is above
///     u times the total: the inverse of the distribution function.
/// Not thread-safe; keeps its memory from row to row.
class TokenDistribution {
 public:
  /// Takes a good row. O(tokens); with top_k, the weights of most blocks are never computed.
  void set(LogitRow& row, const Filters& filters);

  Token draw(double u) const;

  /// Of the last row: 0 where a filter took the token out.
  double probability(Token token) const {
    return static_cast<double>(weights_[static_cast<std::size_t>(token)]) / total_;
  }

 private:
  struct Candidate {
    RankedToken ranked;
    float weight = 0.0F;
  };

  void weigh(const LogitRow& row, const Filters& filters, const Cut& cut);
  void weigh_block(const LogitRow& row, std::size_t block, float min_p);
  void cut_block(const LogitRow& row, std::size_t block, const Cut& cut);
  void keep_top_p(const LogitRow& row, double share);
  std::span<Candidate> select(const LogitRow& row, float least);
  Cut cut_of_share(const LogitRow& row, double share);
  std::size_t bucket_of(const Candidate& candidate) const;
  void add_up();

  float most_ = 0.0F;
  float per_temperature_ = 1.0F;
  std::vector<float> weights_;  // of whole blocks: 0 behind the row's end
  std::vector<double> sums_;    // of the weights of each block
  double total_ = 0.0;
  std::vector<double> buckets_;
  std::vector<Candidate> candidates_;
};

}  // namespace tokenyard
