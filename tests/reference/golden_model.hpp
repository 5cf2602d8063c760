#pragma once
// The tiny models of tests/data/golden_models and what Hugging Face transformers make of them.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/reference/reference_model.hpp"

namespace tokenyard::test {

/// The logits after one position of a prompt.
struct GoldenLogits {
  std::int64_t position = 0;
  Vector values;
};

struct GoldenCase {
  std::vector<Token> prompt;
  std::vector<GoldenLogits> logits;
  GreedyTokens greedy;
};

struct GoldenModel {
  std::filesystem::path folder;  ///< of config.json and safetensors
  std::vector<GoldenCase> cases;
};

/// All of them, by name: every architecture, and several of Llama.
const std::vector<std::string>& golden_model_names();

GoldenModel load_golden_model(const std::string& name);

/// The greatest difference of two vectors of logits, in parts of the expected ones' greatest size;
/// NaN where one is NaN, infinite where their lengths differ.
double relative_error(const Vector& found, const Vector& expected);

}  // namespace tokenyard::test
