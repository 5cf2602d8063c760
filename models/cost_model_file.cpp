#include "models/cost_model_file.hpp"

#include <type_traits>
#include <utility>
#include <variant>

#include "models/device_spec.hpp"
#include "models/linear_cost_model.hpp"
#include "models/model_spec.hpp"
#include "models/parallel_roofline.hpp"
#include "models/pipeline_cost_model.hpp"
#include "models/roofline_cost_model.hpp"
#include "models/table_cost_model.hpp"
#include "models/topology.hpp"
#include "sim/kernel/input_error.hpp"

namespace tokenyard {

namespace {

/// Runs `load`; an error about the named thing is reported at `key`, where the name stands.
template <typename Load>
auto at_key(const JsonObject& file, std::string_view key, Load load) {
  try {
    return load();
  } catch (const InputError& error) {
    file.refuse(key, error.what());
  }
}

std::unique_ptr<CostModel> roofline(const JsonObject& file, const std::filesystem::path& data,
                                    std::int64_t block_tokens) {
  const std::string model_name = file.string("model");
  const std::string device_name = file.string("device");
  const std::string topology_name = file.string_or("topology", "");
  const Parallelism parallelism{static_cast<int>(file.integer_or("tp", 1, 1024, 1)),
                                static_cast<int>(file.integer_or("pp", 1, 1024, 1))};
  const std::int64_t stage = file.integer_or("stage", 1, parallelism.pipeline, 0);
  file.refuse_unread();
  const ModelSpec model = at_key(file, "model", [&] { return load_model_spec(data, model_name); });
  const DeviceSpec device =
      at_key(file, "device", [&] { return load_device_spec(data, device_name); });
  const auto links = at_key(file, topology_name.empty() ? "tp" : "topology", [&] {
    return topology_name.empty()
               ? links_of_device(device, parallelism)
               : links_of_topology(load_topology(data, topology_name), parallelism);
  });
  return at_key(file, parallelism.pipeline > 1 ? "pp" : "tp", [&]() -> std::unique_ptr<CostModel> {
    if (stage == 0) return make_roofline(model, device, parallelism, links, block_tokens);
    const auto place = static_cast<std::size_t>(stage - 1);
    return std::make_unique<RooflineCostModel>(model, device, parallelism.tensor,
                                               stage_shares(model, parallelism)[place],
                                               links[place], block_tokens);
  });
}

/// The form that goes on where the table of `file` ends.
TableCostModel::Beyond beyond(const JsonObject& file, const std::filesystem::path& data,
                              std::int64_t block_tokens) {
  const JsonObject form = file.object("beyond");
  if (form.choice("kind", {"linear", "roofline"}) == "linear") {
    return LinearCostModel::from_json(form);
  }
  const std::unique_ptr<CostModel> read = roofline(form, data, block_tokens);
  const auto* one_stage = dynamic_cast<const RooflineCostModel*>(read.get());
  if (one_stage == nullptr)
    form.refuse("pp", "a table tells of one stage: say which, as \"stage\"");
  return *one_stage;
}

std::unique_ptr<CostModel> table(const JsonObject& file, const std::filesystem::path& data,
                                 std::int64_t block_tokens) {
  TableCostModel::Beyond form = beyond(file, data, block_tokens);
  CostTable measured = cost_table_from_json(file);
  const bool by_table = !file.has("use") || file.choice("use", {"table", "beyond"}) == "table";
  if (file.has("quality")) file.object("quality");  // for readers; decides nothing
  file.refuse_unread();
  if (by_table) return std::make_unique<TableCostModel>(std::move(measured), std::move(form));
  return std::visit(
      [](auto&& model) -> std::unique_ptr<CostModel> {
        return std::make_unique<std::decay_t<decltype(model)>>(std::move(model));
      },
      std::move(form));
}

std::unique_ptr<CostModel> pipeline(const JsonObject& file, const std::filesystem::path& data,
                                    std::int64_t block_tokens) {
  constexpr double kMost = 1e6;  // seconds; anything above is a slip of the unit
  const JsonObject way = file.object("to_next");
  const TransferTime to_next{way.number("latency_s", 0, kMost), way.number("token_s", 0, kMost)};
  way.refuse_unread();
  std::vector<PipelineCostModel::Stage> stages;
  for (const JsonObject& each : file.objects("stages")) {
    auto cost = cost_model_from_json(each, data, block_tokens);
    if (dynamic_cast<const PipelineCostModel*>(cost.get()) != nullptr) {
      each.refuse("kind", "a stage is no pipeline itself");
    }
    stages.push_back({std::move(cost), to_next});
  }
  if (stages.empty()) file.refuse("stages", "expected at least one");
  file.refuse_unread();
  return std::make_unique<PipelineCostModel>(std::move(stages));
}

}  // namespace

std::unique_ptr<CostModel> cost_model_from_json(const JsonObject& file,
                                                const std::filesystem::path& data,
                                                std::int64_t block_tokens) {
  const std::string kind = file.choice("kind", {"linear", "roofline", "table", "pipeline"});
  if (kind == "pipeline") return pipeline(file, data, block_tokens);
  if (kind == "table") return table(file, data, block_tokens);
  if (kind == "roofline") return roofline(file, data, block_tokens);
  return std::make_unique<LinearCostModel>(LinearCostModel::from_json(file));
}

std::unique_ptr<CostModel> read_cost_model_file(const std::string& path,
                                                const std::filesystem::path& data,
                                                std::int64_t block_tokens) {
  return cost_model_from_json(JsonFile::read(path), data, block_tokens);
}

}  // namespace tokenyard
