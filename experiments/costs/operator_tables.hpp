#pragma once
// Reads published measurements of single operators, in the layout of Vidur's data/profiling
// (Agrawal et al., "Vidur: A Large-Scale Simulation Framework for LLM Inference", MLSys 2024):
// CSV files with a row a point and columns time_stats.OPERATOR.median, in milliseconds.

#include <string>
#include <vector>

#include "models/collectives.hpp"
#include "models/device_spec.hpp"
#include "models/model_spec.hpp"
#include "models/table_cost_model.hpp"

namespace tokenyard {

/// What to import. A value type.
struct OperatorTables {
  std::string folder;   ///< of mlp.csv and, where it is known, attention.csv
  std::string network;  ///< of all_reduce.csv; empty: not given
  ModelSpec model;
  DeviceSpec device;  ///< for the rest, and beyond what was measured
  int tensor_parallel = 1;
  int pipeline_parallel = 1;
};

struct ImportedCosts {
  CostTable table;                 ///< of all layers
  TransferTime to_next;            ///< from stage to stage, by tokens; 0 for one stage
  std::vector<std::string> notes;  ///< what a user should know, a sentence each
};

/// The costs of one iteration from those of its operators, for one degree of tensor parallelism:
/// - token-wise, by tokens: in each layer two norms, the projections before and behind attention,
///   rotary positions, the feed-forward layer's products and activation, and two residual sums
///   (the column `add` is of one); once, the embedding;
/// - prefill attention by chunk and tokens before it, decode attention by sequences and context,
///   each with the operators around it (KV written, reshapes);
/// - from stage to stage what a message of tokens x hidden x 2 bytes takes, as the line a + b x
///   bytes that meets the medians best (least squares of relative residuals);
/// - two all-reduces a layer (Megatron-LM, section 3) of tokens x hidden x 2 bytes, from the rows
///   with the most devices a node.
/// Iterations take the device file's overhead beside that. What no file measures is left to the
/// roofline: the output layer always, attention and all-reduce where their files are missing; a
/// note says so. Points that were measured several times count with the median.
///
/// Throws `InputError` with file, line and column: for a missing column, a time that is negative or
/// no number, a model of another shape, and where no row is of this degree.
ImportedCosts import_operator_tables(const OperatorTables& from);

}  // namespace tokenyard
