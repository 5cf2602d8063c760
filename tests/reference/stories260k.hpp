#pragma once
// A small trained model, where this machine has one (TOKENYARD_SHARED_DIR, or ../shared).

#include <filesystem>
#include <span>
#include <string>

#include "engine/model_config.hpp"

namespace tokenyard::test {

/// The folder of stories260K, of llama2.c's format; need not exist.
std::filesystem::path stories260k();

/// What llama2.c itself prints of 200 greedy tokens after the begin token.
std::string stories260k_golden();

/// What llama2.c prints of these tokens, which come after the begin token.
std::string stories260k_text(std::span<const Token> tokens);

}  // namespace tokenyard::test
