#include "engine/architectures/architecture.hpp"

#include <fmt/format.h>

#include <array>
#include <string>

namespace tokenyard {

std::span<const Architecture> architectures() {
  static constexpr std::array<Architecture, 6> kAll = {
      {{"llama", read_llama_config, map_llama_tensors},
       {"mistral", read_mistral_config, map_llama_tensors},
       {"gpt2", read_gpt2_config, map_gpt2_tensors},
       {"opt", read_opt_config, map_opt_tensors},
       {"bloom", read_bloom_config, map_bloom_tensors},
       {"mpt", read_mpt_config, map_mpt_tensors}}};
  return kAll;
}

const Architecture& find_architecture(const JsonObject& file) {
  const std::string name = file.string("model_type");
  std::string known;
  for (const Architecture& architecture : architectures()) {
    if (architecture.model_type == name) return architecture;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", architecture.model_type);
  }
  file.refuse("model_type",
              fmt::format("unknown architecture {}; known are {}", file.raw("model_type"), known));
}

}  // namespace tokenyard
