#include "models/cost_model_file.hpp"

#include "models/device_spec.hpp"
#include "models/linear_cost_model.hpp"
#include "models/model_spec.hpp"
#include "models/parallel_roofline.hpp"
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
  file.refuse_unread();
  const ModelSpec model = at_key(file, "model", [&] { return load_model_spec(data, model_name); });
  const DeviceSpec device =
      at_key(file, "device", [&] { return load_device_spec(data, device_name); });
  const auto links = at_key(file, topology_name.empty() ? "tp" : "topology", [&] {
    return topology_name.empty()
               ? links_of_device(device, parallelism)
               : links_of_topology(load_topology(data, topology_name), parallelism);
  });
  return at_key(file, parallelism.pipeline > 1 ? "pp" : "tp",
                [&] { return make_roofline(model, device, parallelism, links, block_tokens); });
}

}  // namespace

std::unique_ptr<CostModel> cost_model_from_json(const JsonObject& file,
                                                const std::filesystem::path& data,
                                                std::int64_t block_tokens) {
  if (file.choice("kind", {"linear", "roofline"}) == "roofline")
    return roofline(file, data, block_tokens);
  return std::make_unique<LinearCostModel>(LinearCostModel::from_json(file));
}

std::unique_ptr<CostModel> read_cost_model_file(const std::string& path,
                                                const std::filesystem::path& data,
                                                std::int64_t block_tokens) {
  return cost_model_from_json(JsonFile::read(path), data, block_tokens);
}

}  // namespace tokenyard
