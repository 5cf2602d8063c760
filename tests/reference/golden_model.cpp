#include "tests/reference/golden_model.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

namespace tokenyard::test {

const std::vector<std::string>& golden_model_names() {
  static const std::vector<std::string> names = {"llama", "llama3", "llama_biases", "mistral",
                                                 "gpt2",  "opt",    "bloom",        "mpt"};
  return names;
}

GoldenModel load_golden_model(const std::string& name) {
  GoldenModel model;
  model.folder =
      std::filesystem::path(TOKENYARD_SOURCE_DIR) / "tests" / "data" / "golden_models" / name;
  std::ifstream stream(model.folder / "golden.json");
  const auto document = nlohmann::json::parse(stream);
  for (const auto& from : document.at("cases")) {
    GoldenCase to;
    from.at("prompt").get_to(to.prompt);
    for (const auto& logits : from.at("logits")) {
      to.logits.push_back({logits.at("position"), logits.at("values")});
    }
    from.at("greedy").at("tokens").get_to(to.greedy.tokens);
    from.at("greedy").at("gaps").get_to(to.greedy.gaps);
    model.cases.push_back(std::move(to));
  }
  return model;
}

double relative_error(const Vector& found, const Vector& expected) {
  if (found.size() != expected.size()) return INFINITY;
  double size = 0;
  double difference = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    size = std::max(size, std::abs(expected[i]));
    const double here = std::abs(found[i] - expected[i]);
    if (std::isnan(here)) return here;
    difference = std::max(difference, here);
  }
  return difference / size;
}

}  // namespace tokenyard::test
