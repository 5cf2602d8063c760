#pragma once
// Tokens that are found in the text itself, before any splitting: <|endoftext|> and its like.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/model_config.hpp"

namespace tokenyard {

/// One token of a tokenizer's `added_tokens`.
struct AddedToken {
  std::string content;
  Token token = -1;
  bool special = false;      ///< steers the model, and is no part of a text
  bool strips_left = false;  ///< takes the white space before it too
  bool strips_right = false;
};

/// Finds added tokens: the leftmost, of those the longest, without overlaps (as Hugging Face's
/// tokenizers do). A value type; read-only use is thread-safe.
class AddedTokens {
 public:
  /// A stretch of the text: an added token, or (token < 0) text between them.
  struct Part {
    std::string_view text;
    Token token = -1;
  };

  AddedTokens() = default;
  /// Contents must not be empty; of equal ones the last counts.
  explicit AddedTokens(std::vector<AddedToken> tokens);

  /// All of the text in order; parts are not empty. With `special` false, special tokens are text.
  std::vector<Part> split(std::string_view text, bool special) const;

 private:
  /// A prefix of contents.
  struct Node {
    std::map<char, std::int32_t> next;
    std::int32_t token = -1;  ///< the place in `tokens_` of the content that ends here
  };

  /// The place in `tokens_` of the longest content that the text begins with, or -1.
  std::int32_t longest_at(std::string_view text) const;

  std::vector<AddedToken> tokens_;
  std::vector<Node> nodes_ = std::vector<Node>(1);
};

}  // namespace tokenyard
