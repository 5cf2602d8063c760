#pragma once
// The one tokenizer behind all file formats: byte-pair encoding over bytes, or over characters with
// bytes as the way out.

#include <array>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/text/added_tokens.hpp"
#include "engine/text/merge_table.hpp"
#include "engine/text/pre_tokenizer.hpp"
#include "engine/text/tokenizer.hpp"

namespace tokenyard {

/// Tokens by their text, looked up without a copy.
struct TokenTextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>()(text);
  }
};
using TokensByText = std::unordered_map<std::string, Token, TokenTextHash, std::equal_to<>>;

/// What a file says of its tokenizer. A value type.
struct BpeModel {
  std::string place;  ///< the file, for messages

  // From text to pieces. Added tokens are found in the text as it is, others (`normalized` in the
  // file) after the normalizer's steps.
  AddedTokens added;
  AddedTokens added_after_normalizing;
  std::vector<NormalizerStep> normalizer;
  std::vector<PreTokenizerStep> pre_tokenizer;

  // From a piece to tokens.
  TokensByText whole;              ///< pieces that are one token whatever the merges say
  bool by_character = false;       ///< begin with `characters`; else with the token of each byte
  TokensByText characters;         ///< tokens of one character
  std::array<Token, 256> bytes{};  ///< tokens of single bytes; -1 = none
  Token unknown = -1;              ///< for what has no token; -1 = such a text is refused
  bool fuses_unknown = false;      ///< one for a run of them
  MergeTable merges;

  // Around the text.
  std::vector<Token> before;
  std::vector<Token> after;
};

class BpeTokenizer : public Tokenizer {
 public:
  BpeTokenizer(TokenTable table, BpeModel model);

  std::vector<Token> encode(std::string_view text,
                            const EncodeOptions& options = {}) const override;

 private:
  void encode_piece(std::string_view piece, Merger& merger, std::vector<Token>& out) const;
  void append_first_tokens(std::string_view piece, std::vector<Token>& out) const;

  BpeModel model_;
};

}  // namespace tokenyard
