#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "models/linear_cost_model.hpp"
#include "models/measured_grid.hpp"
#include "models/roofline_cost_model.hpp"
#include "sim/kernel/strict_json.hpp"
#include "sim/ports/cost_model.hpp"

namespace tokenyard {

/// What was measured of an engine or of single operators, in seconds of one iteration (all layers
/// together). A value type.
struct CostTable {
  std::string source;      ///< where the figures come from
  double iteration_s = 0;  ///< beside all parts
  /// All that is done token by token (matrix products, norms, …), by the tokens of the iteration.
  MeasuredCurve tokens;
  std::optional<MeasuredCurve> all_reduce;  ///< of tensor parallelism, by the tokens
  /// Of one prompt or chunk: x its tokens, y the tokens before it.
  std::optional<MeasuredGrid> prefill_attention;
  /// Of a batch of decodes: x its sequences, y the mean context, the new token included.
  std::optional<MeasuredGrid> decode_attention;
};

/// Iteration times from measured points, between them by straight lines:
///   iteration_s + tokens(n) + all_reduce(n) + prefill attention + decode attention + the rest,
/// n = prefill tokens + decoding sequences. A mixed batch runs its token-wise operators over all n
/// tokens at once and its two kinds of attention one after the other, as engines do.
///
/// A load holds sums only, so a batch is looked up as a batch of equals:
/// - decodes at (their number, their mean context): exact for operators whose time is a sum over
///   sequences of what is linear in each one's context, as reading KV is;
/// - prefills as one chunk c that follows the mean p of the tokens before each and has as many
///   pairs of tokens to attend to (attended_pairs.hpp): c²/2 + c p = pairs. For one prefill that
///   is itself, for k whole prompts of m tokens one of m sqrt(k): they are one call of a kernel
///   whose time goes by its pairs. (Vidur does the same: Agrawal et al., MLSys 2024, section 4.3.)
///
/// What was not measured comes from `beyond`, the linear form or the roofline: a whole part that is
/// missing, the output layer and block copies (where `beyond` tells them apart; in the linear form
/// they are in the other parts), copies to the host. Beyond the greatest measured point
/// of a part the time goes on from there with the roofline's measure of its work: attention by its
/// pairs and its context at the rate that was measured (measured_grid.hpp), tokens and all-reduces
/// in the proportion in which `beyond` and the bytes grow. So a cost is continuous wherever it
/// leaves the table; `left_range` says that it was asked to.
///
/// No lower plane (`FlooredCost`) is offered, since measured points need not be convex.
/// An evaluation is a few binary searches, without allocation. Safe to share between threads.
class TableCostModel final : public CostModel {
 public:
  using Beyond = std::variant<LinearCostModel, RooflineCostModel>;
  /// Precondition: nothing negative; the token-wise times positive.
  TableCostModel(CostTable table, Beyond beyond);

  Duration iteration(const IterationLoad& load) const override;
  Duration copy(std::int64_t blocks) const override;

  /// What a user should know if a cost outside the measured points was asked for, by a run or by
  /// what advises it: which part, what was measured, and how it was extended. Else empty.
  std::string left_range() const;

  const CostTable& table() const { return table_; }
  const Beyond& beyond() const { return beyond_; }

 private:
  double tokens_s(double tokens, unsigned& left) const;

  CostTable table_;
  Beyond beyond_;
  mutable std::atomic<unsigned> left_{0};  ///< parts whose range was left, a bit each
};

/// Reads the measured part of {"kind":"table", …} (docs/file-formats.md); the caller has read
/// "beyond", and refuses what is left unread. Throws `InputError` for points that do not ascend or
/// lists that differ in length.
CostTable cost_table_from_json(const JsonObject& file);

/// The members that `cost_table_from_json` reads, as text without the braces around them.
std::string to_json_members(const CostTable& table);

}  // namespace tokenyard
