#include "experiments/costs/imported_pipeline.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <utility>

#include "experiments/costs/cost_file.hpp"
#include "experiments/costs/linear_fit.hpp"
#include "experiments/costs/operator_csv.hpp"
#include "models/parallel_layout.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

namespace {

/// What a line through measured messages says of their bytes.
std::string bandwidth_words(double byte_s) {
  constexpr double kGiga = 1e9;
  if (byte_s == 0) return "whatever its bytes";
  return fmt::format("and its bytes at {:.1f} GB/s", 1 / (byte_s * kGiga));
}

/// A message from device to device, by its bytes.
TransferTime read_send_recv(const std::string& path, std::vector<std::string>& notes) {
  OperatorCsv csv(path);
  const std::size_t time = csv.median_of("send_recv"), size = csv.column("size"),
                    in_node = csv.column("devices_per_node");
  RowFilter pair(csv, "num_workers", 2);
  std::map<std::int64_t, std::vector<MeasuredIteration>> by_devices_in_node;
  while (csv.next()) {
    if (!pair.takes()) continue;
    const double seconds = csv.milliseconds(time) * 1e-3;
    constexpr double kLeast_s = 1e-9;  // less is no time that anybody measured
    if (seconds < kLeast_s) csv.refuse(time, "a message takes a nanosecond at least");
    IterationLoad load;  // of the linear form's terms these two are a line
    load.prefill_tokens = csv.integer(size);
    by_devices_in_node[csv.integer(in_node)].push_back({load, seconds});
  }
  pair.refuse_if_none();
  const std::vector<MeasuredIteration>& points = by_devices_in_node.rbegin()->second;
  const LinearCoefficients line = fit_linear(points).coefficients;
  std::vector<double> measured, estimates;
  for (const MeasuredIteration& point : points) {
    measured.push_back(point.seconds);
    estimates.push_back(line.iteration_s +
                        line.prefill_token_s * static_cast<double>(point.load.prefill_tokens));
  }
  constexpr double kMicro = 1e-6, kPercent = 100;
  notes.push_back(fmt::format(
      "{}: a message takes {:.1f} us {}, which misses the {} medians by {:.0f} % on average", path,
      line.iteration_s / kMicro, bandwidth_words(line.prefill_token_s), points.size(),
      agreement_of(measured, estimates).mean_relative * kPercent));
  return {line.iteration_s, line.prefill_token_s};
}

MeasuredCurve scaled(const MeasuredCurve& curve, double share) {
  std::vector<double> seconds = curve.seconds();
  for (double& each : seconds) each *= share;
  return {curve.points(), std::move(seconds)};
}

MeasuredGrid scaled(const MeasuredGrid& grid, double share) {
  std::vector<MeasuredGrid::Row> rows;
  for (const auto& row : grid.rows()) rows.push_back({row.x, scaled(row.curve, share)});
  return MeasuredGrid(std::move(rows));
}

/// That of a stage, with its share of the layers.
CostTable of_stage(const CostTable& whole, const StageShare& stage, std::int64_t layers) {
  const double share = static_cast<double>(stage.layers) / static_cast<double>(layers);
  CostTable table{
      whole.source, stage.first ? whole.iteration_s : 0, scaled(whole.tokens, share), {}, {}, {}};
  if (whole.all_reduce) table.all_reduce = scaled(*whole.all_reduce, share);
  if (whole.prefill_attention) table.prefill_attention = scaled(*whole.prefill_attention, share);
  if (whole.decode_attention) table.decode_attention = scaled(*whole.decode_attention, share);
  return table;
}

}  // namespace

void add_stage_links(const OperatorTables& from, ImportedCosts& costs) {
  TransferTime by_bytes;
  if (from.network.empty()) {
    const Parallelism parallelism{from.tensor_parallel, from.pipeline_parallel};
    by_bytes = links_of_device(from.device, parallelism).front().to_next;
    costs.notes.emplace_back("no --network is given: stages hand over by the device's own link");
  } else {
    const auto path = std::filesystem::path(from.network) / "send_recv.csv";
    by_bytes = read_send_recv(path.string(), costs.notes);
  }
  const auto row_bytes = static_cast<double>(from.model.hidden * from.model.dtype_bytes);
  costs.to_next = {by_bytes.latency_s, by_bytes.byte_s * row_bytes};
}

std::string imported_cost_text(const OperatorTables& from, const ImportedCosts& costs) {
  const auto beyond = [&](const std::string& stage) {
    return fmt::format(R"({{"kind":"roofline","model":"{}","device":"{}","tp":{}{}}})",
                       from.model.name, from.device.name, from.tensor_parallel, stage);
  };
  if (from.pipeline_parallel == 1) return cost_file_text({costs.table, beyond("")});
  std::string stages;
  const auto shares = stage_shares(from.model, {from.tensor_parallel, from.pipeline_parallel});
  for (std::size_t i = 0; i < shares.size(); ++i) {
    const std::string place = fmt::format(R"(,"pp":{},"stage":{})", shares.size(), i + 1);
    const CostTable table = of_stage(costs.table, shares[i], from.model.layers);
    stages += (i > 0 ? ",\n" : "") + cost_file_text({table, beyond(place)});
  }
  return fmt::format(
      "{{\"kind\":\"pipeline\",\n \"to_next\":{{\"latency_s\":{},\"token_s\":{}}},\n "
      "\"stages\":[\n{}]}}\n",
      format_number(costs.to_next.latency_s), format_number(costs.to_next.byte_s), stages);
}

}  // namespace tokenyard
