#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/engine_model.hpp"
#include "engine/generation.hpp"
#include "engine/sampling/sampling_params.hpp"

namespace tokenyard {

/// One prompt and what the model made of it.
struct OfflineResult {
  std::string prompt;
  std::vector<Token> prompt_tokens;
  std::vector<GeneratedOutput> outputs;
};

/// Offline inference: runs all prompts with the same parameters through the serving core at once
/// (first come, first served) and returns when all have ended. A text depends on its prompt, the
/// parameters and `seed` alone. Throws `InputError`.
std::vector<OfflineResult> generate_texts(EngineModel& model,
                                          const std::vector<std::string>& prompts,
                                          const SamplingParams& params, std::uint64_t seed);

}  // namespace tokenyard
