#pragma once
// What a model's folder says of its tokens' roles, beside the tokenizer itself.

#include <filesystem>
#include <string>
#include <vector>

namespace tokenyard {

/// Read from tokenizer_config.json and special_tokens_map.json, where they are there; the first
/// goes before the second. Both may also define much that has no bearing here. A value type.
struct SpecialNames {
  std::string begin;             ///< bos_token; empty where not given, as are the others
  std::string end;               ///< eos_token
  std::string unknown;           ///< unk_token
  std::vector<std::string> all;  ///< these and all others (padding, separators)
  bool adds_begin = false;       ///< add_bos_token
  bool adds_prefix_space = false;

  /// Throws `InputError` for files that are there and cannot be read.
  static SpecialNames read(const std::filesystem::path& folder);
};

}  // namespace tokenyard
