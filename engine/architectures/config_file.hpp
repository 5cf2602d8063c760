#pragma once
// Reading a Hugging Face config.json. It is others' file, so keys that we do not know are let be;
// those that we read must be what we take them for.

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>

#include "engine/model_config.hpp"
#include "sim/kernel/strict_json.hpp"

namespace tokenyard {

/// The first of the names that stands in the file with a value that is not null, or "". One setting
/// has several names in the wild.
std::string_view given_key(const JsonObject& file, std::initializer_list<std::string_view> names);
inline bool given(const JsonObject& file, std::string_view name) {
  return !given_key(file, {name}).empty();
}

/// A size from 1 to `kModelSizeMost`; required where there is no fallback.
std::int32_t read_size(const JsonObject& file, std::initializer_list<std::string_view> names,
                       std::optional<std::int32_t> fallback = std::nullopt);
double read_number(const JsonObject& file, std::string_view name, double least, double most,
                   double fallback);
bool read_flag(const JsonObject& file, std::string_view name, bool fallback);
/// Refuses the setting unless it is `value` or left out: we have no code for the other.
void require_flag(const JsonObject& file, std::string_view name, bool value);
/// Refuses the setting unless it is left out or null.
void require_absent(const JsonObject& file, std::string_view name);

/// What a norm adds to a variance: from 1e-12 to 1.
float read_epsilon(const JsonObject& file, std::string_view name, double fallback);

/// Maps the names under which the formulas go there.
Activation read_activation(const JsonObject& file, std::string_view name,
                           std::string_view fallback);
/// Refuses what is only there for gated layers; `name` is where the activation was read.
void refuse_gate(const JsonObject& file, std::string_view name, const ModelConfig& config);

/// The width of the feed-forward layers, four times `config.hidden` where the file does not say.
std::int32_t read_feed_forward(const JsonObject& file, std::string_view name,
                               const ModelConfig& config);

/// The size of a head where heads share `config.hidden` equally; refuses `key`, which said how many
/// there are, if they cannot.
std::int32_t equal_head_dim(const JsonObject& file, std::string_view key,
                            const ModelConfig& config);
/// Refuses more or larger heads than the engine computes with; `key` is blamed.
void check_heads(const JsonObject& file, std::string_view key, const ModelConfig& config);

/// `bos_token_id` and `eos_token_id` (one, several or none), once the vocabulary is known. The
/// fallbacks are the architecture's own, for a file that leaves the key out; a fallback outside the
/// vocabulary is none.
void read_special_tokens(const JsonObject& file, Token begin_fallback, Token end_fallback,
                         ModelConfig& config);

/// Replaces the end tokens by those of a generation_config.json, where that names any.
void read_generation_config(const JsonObject& file, ModelConfig& config);

}  // namespace tokenyard
