#include "engine/architectures/config_file.hpp"

#include <fmt/format.h>

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "sim/kernel/text.hpp"

namespace tokenyard {
namespace {

constexpr std::array<std::pair<std::string_view, Activation>, 9> kActivations = {
    {{"relu", Activation::relu},
     {"gelu", Activation::gelu},
     {"gelu_python", Activation::gelu},
     {"gelu_new", Activation::gelu_tanh},
     {"gelu_fast", Activation::gelu_tanh},
     {"gelu_pytorch_tanh", Activation::gelu_tanh},
     {"gelu_python_tanh", Activation::gelu_tanh},
     {"silu", Activation::silu},
     {"swish", Activation::silu}}};

bool is_null(const JsonObject& file, std::string_view name) {
  return file.raw(name) == "null";
}

bool is_list(const JsonObject& file, std::string_view name) {
  return file.raw(name).starts_with('[');
}

std::vector<Token> read_end_tokens(const JsonObject& file, std::int32_t vocabulary) {
  std::vector<Token> tokens;
  if (!is_list(file, "eos_token_id")) {
    tokens.push_back(static_cast<Token>(file.integer("eos_token_id", 0, vocabulary - 1)));
    return tokens;
  }
  for (const std::int64_t token : file.integers("eos_token_id", 0, vocabulary - 1)) {
    tokens.push_back(static_cast<Token>(token));
  }
  return tokens;
}

}  // namespace

std::string_view given_key(const JsonObject& file, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    if (file.has(name) && !is_null(file, name)) return name;
  }
  return "";
}

std::int32_t read_size(const JsonObject& file, std::initializer_list<std::string_view> names,
                       std::optional<std::int32_t> fallback) {
  const std::string_view key = given_key(file, names);
  if (key.empty() && fallback) return *fallback;
  return static_cast<std::int32_t>(
      file.integer(key.empty() ? *names.begin() : key, 1, kModelSizeMost));
}

double read_number(const JsonObject& file, std::string_view name, double least, double most,
                   double fallback) {
  return given(file, name) ? file.number(name, least, most) : fallback;
}

bool read_flag(const JsonObject& file, std::string_view name, bool fallback) {
  return given(file, name) ? file.flag(name) : fallback;
}

void require_flag(const JsonObject& file, std::string_view name, bool value) {
  if (read_flag(file, name, value) == value) return;
  file.refuse(name, fmt::format("{} is not supported; expected {}", !value, value));
}

void require_absent(const JsonObject& file, std::string_view name) {
  if (!given(file, name)) return;
  file.refuse(name, fmt::format("{} is not supported; expected null", printable(file.raw(name))));
}

Activation read_activation(const JsonObject& file, std::string_view name,
                           std::string_view fallback) {
  const std::string text = given(file, name) ? file.string(name) : std::string(fallback);
  std::string known;
  for (const auto& [spelling, activation] : kActivations) {
    if (spelling == text) return activation;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", spelling);
  }
  file.refuse(name, fmt::format("unknown activation; known are {}", known));
}

float read_epsilon(const JsonObject& file, std::string_view name, double fallback) {
  return static_cast<float>(read_number(file, name, 1e-12, 1.0, fallback));
}

void refuse_gate(const JsonObject& file, std::string_view name, const ModelConfig& config) {
  if (config.activation != Activation::silu) return;
  file.refuse(name, fmt::format("{} is supported in gated layers only", file.raw(name)));
}

std::int32_t read_feed_forward(const JsonObject& file, std::string_view name,
                               const ModelConfig& config) {
  if (given(file, name)) return read_size(file, {name});
  if (4 * std::int64_t{config.hidden} > kModelSizeMost) file.refuse(name, "expected an integer");
  return 4 * config.hidden;
}

std::int32_t equal_head_dim(const JsonObject& file, std::string_view key,
                            const ModelConfig& config) {
  if (config.hidden % config.heads == 0) return config.hidden / config.heads;
  file.refuse(key, fmt::format("expected a divisor of the hidden size {}, found {}", config.hidden,
                               config.heads));
}

void check_heads(const JsonObject& file, std::string_view key, const ModelConfig& config) {
  if (config.heads <= kModelHeadsMost && config.head_dim <= kModelHeadDimMost) return;
  file.refuse(key, fmt::format("{} heads of {} elements are not supported; expected at most {} of "
                               "at most {}",
                               config.heads, config.head_dim, kModelHeadsMost, kModelHeadDimMost));
}

void read_special_tokens(const JsonObject& file, Token begin_fallback, Token end_fallback,
                         ModelConfig& config) {
  const auto inside = [&](Token token) { return token >= 0 && token < config.vocabulary; };
  if (!file.has("bos_token_id")) {
    config.begin_token = inside(begin_fallback) ? begin_fallback : -1;
  } else if (!is_null(file, "bos_token_id")) {
    config.begin_token = static_cast<Token>(file.integer("bos_token_id", 0, config.vocabulary - 1));
  }
  if (!file.has("eos_token_id")) {
    if (inside(end_fallback)) config.end_tokens = {end_fallback};
  } else if (!is_null(file, "eos_token_id")) {
    config.end_tokens = read_end_tokens(file, config.vocabulary);
  }
}

void read_generation_config(const JsonObject& file, ModelConfig& config) {
  if (given(file, "eos_token_id")) config.end_tokens = read_end_tokens(file, config.vocabulary);
}

}  // namespace tokenyard
