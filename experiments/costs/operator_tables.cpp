#include "experiments/costs/operator_tables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "experiments/costs/imported_pipeline.hpp"
#include "experiments/costs/operator_csv.hpp"
#include "sim/kernel/input_error.hpp"

namespace tokenyard {

namespace {

constexpr const char* kDegree = "num_tensor_parallel_workers";
constexpr double kSecond_ms = 1000;

/// An operator's column and how often it runs in an iteration.
struct Operation {
  std::size_t column = 0;
  double times = 1;
};

double seconds_of(const OperatorCsv& csv, const std::vector<Operation>& operations) {
  double milliseconds = 0;
  for (const Operation& each : operations) {
    milliseconds += each.times * csv.milliseconds(each.column);
  }
  return milliseconds / kSecond_ms;
}

/// That a file's rows are of the model that was named, by its sizes.
class ShapeCheck {
 public:
  struct Size {
    const char* column;
    std::int64_t expected;
    const char* words;
  };
  ShapeCheck(OperatorCsv& csv, const ModelSpec& model, const std::vector<Size>& sizes)
      : csv_(csv), model_(model), sizes_(sizes) {
    for (const Size& size : sizes_) columns_.push_back(csv.column(size.column));
  }
  void check() const {
    for (std::size_t i = 0; i < sizes_.size(); ++i) {
      csv_.expect(columns_[i], sizes_[i].expected,
                  fmt::format("the {} of {}", sizes_[i].words, model_.name));
    }
  }

 private:
  OperatorCsv& csv_;
  const ModelSpec& model_;
  std::vector<Size> sizes_;
  std::vector<std::size_t> columns_;
};

void note_repeated(const std::string& path, std::size_t repeated, std::vector<std::string>& notes) {
  if (repeated == 0) return;
  notes.push_back(fmt::format("{}: {} points were measured several times; their medians count",
                              path, repeated));
}

MeasuredCurve read_tokens(const std::string& path, const OperatorTables& from,
                          std::vector<std::string>& notes) {
  OperatorCsv csv(path);
  const ModelSpec& model = from.model;
  const auto layers = static_cast<double>(model.layers);
  std::vector<Operation> operations;
  for (const char* each : {"input_layernorm", "attn_pre_proj", "attn_post_proj",
                           "post_attention_layernorm", "mlp_up_proj", "mlp_act", "mlp_down_proj"}) {
    operations.push_back({csv.median_of(each), layers});
  }
  if (model.positions == Positions::rope) {
    operations.push_back({csv.median_of("attn_rope"), layers});
  }
  operations.push_back({csv.median_of("add"), 2 * layers});
  operations.push_back({csv.median_of("emb"), 1});
  const ShapeCheck shape(csv, model,
                         {{"n_head", model.heads, "heads"},
                          {"n_kv_head", model.kv_heads, "KV heads"},
                          {"n_embd", model.hidden, "hidden size"},
                          {"n_expanded_embd", model.feed_forward, "feed-forward size"}});
  const std::size_t tokens = csv.column("num_tokens");
  RowFilter degree(csv, kDegree, from.tensor_parallel);
  MeasuredPoints points;
  while (csv.next()) {
    shape.check();
    if (!degree.takes()) continue;
    const double seconds = seconds_of(csv, operations);
    if (!(seconds > 0))
      csv.refuse(operations.front().column, "all operators together take no time");
    points.add(0, static_cast<double>(csv.integer(tokens)), seconds);
  }
  degree.refuse_if_none();
  note_repeated(path, points.repeated(), notes);
  return points.curve();
}

void read_attention(const std::string& path, const OperatorTables& from, ImportedCosts& costs) {
  OperatorCsv csv(path);
  const ModelSpec& model = from.model;
  const auto layers = static_cast<double>(model.layers);
  std::vector<Operation> around;
  for (const char* each : {"attn_input_reshape", "attn_kv_cache_save", "attn_output_reshape"}) {
    around.push_back({csv.median_of(each), layers});
  }
  std::vector<Operation> prefill = around, decode = around;
  prefill.push_back({csv.median_of("attn_prefill"), layers});
  decode.push_back({csv.median_of("attn_decode"), layers});
  const ShapeCheck shape(csv, model,
                         {{"n_q_head", model.heads, "heads"},
                          {"n_kv_head", model.kv_heads, "KV heads"},
                          {"n_embd", model.hidden, "hidden size"}});
  const std::size_t batch = csv.column("batch_size"), chunk = csv.column("prefill_chunk_size"),
                    cached = csv.column("kv_cache_size"), is_prefill = csv.column("is_prefill");
  RowFilter degree(csv, kDegree, from.tensor_parallel);
  MeasuredPoints prefills, decodes;
  while (csv.next()) {
    shape.check();
    if (!degree.takes()) continue;
    const auto before = static_cast<double>(csv.integer(cached));
    const std::int64_t sequences = csv.integer(batch);
    if (csv.flag(is_prefill)) {
      csv.expect(batch, 1, "as prefill attention is measured a prompt at a time");
      const std::int64_t tokens = csv.integer(chunk);
      if (tokens < 1) csv.refuse(chunk, "a prefill has at least one token");
      prefills.add(static_cast<double>(tokens), before, seconds_of(csv, prefill));
    } else {
      if (sequences < 1) csv.refuse(batch, "a batch has at least one sequence");
      // The token that is decoded attends to itself beside what is cached.
      decodes.add(static_cast<double>(sequences), before + 1, seconds_of(csv, decode));
    }
  }
  degree.refuse_if_none();
  note_repeated(path, prefills.repeated() + decodes.repeated(), costs.notes);
  const auto left_to_roofline = [&](const char* what) {
    costs.notes.push_back(fmt::format("{} has no {}: the roofline stands in", path, what));
  };
  if (prefills.empty()) {
    left_to_roofline("prefill");
  } else {
    costs.table.prefill_attention = prefills.grid();
  }
  if (decodes.empty()) {
    left_to_roofline("decode");
  } else {
    costs.table.decode_attention = decodes.grid();
  }
}

/// Two all-reduces a layer, by the tokens whose rows they sum.
MeasuredCurve read_all_reduce(const std::string& path, const OperatorTables& from,
                              std::vector<std::string>& notes) {
  OperatorCsv csv(path);
  const std::size_t time = csv.median_of("all_reduce"), size = csv.column("size"),
                    in_node = csv.column("devices_per_node");
  const auto row_bytes = static_cast<double>(from.model.hidden * from.model.dtype_bytes);
  const auto times = static_cast<double>(2 * from.model.layers);
  RowFilter degree(csv, "num_workers", from.tensor_parallel);
  std::map<std::int64_t, MeasuredPoints> by_devices_in_node;
  while (csv.next()) {
    if (!degree.takes()) continue;
    const double seconds = csv.milliseconds(time) / kSecond_ms;
    if (!(seconds > 0)) csv.refuse(time, "an all-reduce takes time, found 0");
    by_devices_in_node[csv.integer(in_node)].add(
        0, static_cast<double>(csv.integer(size)) / row_bytes, times * seconds);
  }
  degree.refuse_if_none();
  const MeasuredPoints& points = by_devices_in_node.rbegin()->second;
  note_repeated(path, points.repeated(), notes);
  return points.curve();
}

}  // namespace

ImportedCosts import_operator_tables(const OperatorTables& from) {
  const std::filesystem::path folder(from.folder);
  std::vector<std::string> notes;
  const std::string mlp = (folder / "mlp.csv").string();
  ImportedCosts costs{
      {from.folder, from.device.iteration_overhead_s, read_tokens(mlp, from, notes), {}, {}, {}},
      {},
      {}};
  costs.notes = std::move(notes);
  const std::filesystem::path attention = folder / "attention.csv";
  if (std::filesystem::exists(attention)) {
    read_attention(attention.string(), from, costs);
  } else {
    costs.notes.push_back(
        fmt::format("{} is not there: attention goes by the roofline", attention.string()));
  }
  if (from.tensor_parallel > 1) {
    if (from.network.empty()) {
      costs.notes.emplace_back("no --network is given: all-reduces go by the roofline");
    } else {
      const auto path = std::filesystem::path(from.network) / "all_reduce.csv";
      costs.table.all_reduce = read_all_reduce(path.string(), from, costs.notes);
    }
  }
  if (from.pipeline_parallel > 1) add_stage_links(from, costs);
  costs.notes.push_back(
      fmt::format("the output layer goes by the roofline, and an iteration's {} s beside its "
                  "operators are those of {}",
                  costs.table.iteration_s, from.device.name));
  return costs;
}

}  // namespace tokenyard
