#pragma once
// Text to tokens and back.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/model_config.hpp"

namespace tokenyard {

/// How a text is encoded.
struct EncodeOptions {
  /// Adds the tokens that the tokenizer puts around a text: a begin token where the model was
  /// trained with one (Llama, OPT), nothing for others (GPT-2, BLOOM).
  bool add_special = true;
  /// Whether "</s>" and its like in the text become those tokens. Off, so that what a user sends
  /// cannot end a turn or play another role; on for prompts that the server itself composed.
  bool parse_special = false;
};

/// What all tokenizers know of their tokens. A value type.
struct TokenTable {
  std::vector<std::string> pieces;  ///< the bytes of each token; an unused number has none
  std::vector<bool> special;        ///< of the same size
  Token begin_token = -1;           ///< -1 = none, or not known
  Token end_token = -1;
  /// Encoding puts a space before a text, and so decoding takes one away.
  bool drops_first_space = false;
};

/// A model's tokenizer. Read-only after loading, so safe to share between threads.
///
/// Texts are UTF-8, but may be any bytes: what is not well-formed goes through as single bytes, and
/// `decode(encode(text))` gives the same bytes again. (That does not hold where a tokenizer's file
/// says to lose something, such as white space beside a special token, or has an unknown token.)
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;
  Tokenizer(const Tokenizer&) = delete;
  Tokenizer& operator=(const Tokenizer&) = delete;

  /// Throws `InputError` for a text that the vocabulary cannot express, or of more than 2^28 bytes.
  virtual std::vector<Token> encode(std::string_view text,
                                    const EncodeOptions& options = {}) const = 0;

  /// The bytes that the tokens stand for, as a text of its own. Special tokens are left out unless
  /// `special`. A token that the vocabulary does not have stands for nothing: checkpoints often
  /// have more rows than there are tokens, and a model may choose any of them.
  std::string decode(std::span<const Token> tokens, bool special = false) const;

  /// The bytes of one token within a text; empty for a token that the vocabulary does not have.
  std::string_view piece(Token token) const;
  bool is_special(Token token) const;

  /// One more than the highest token.
  std::int32_t vocabulary() const { return static_cast<std::int32_t>(table_.pieces.size()); }
  Token begin_token() const { return table_.begin_token; }  ///< -1 = none, or not known
  Token end_token() const { return table_.end_token; }      ///< -1 = none, or not known
  bool drops_first_space() const { return table_.drops_first_space; }

 protected:
  explicit Tokenizer(TokenTable table);

 private:
  TokenTable table_;
};

/// Loads the tokenizer that lies in a model's folder: Hugging Face's tokenizer.json, or else
/// vocab.json with merges.txt, or else llama2.c's tokenizer.bin or tok*.bin. Also takes the path of
/// a tokenizer.json or .bin itself. Throws `InputError` for what is missing, damaged or of a kind
/// that is not supported (which it names).
std::unique_ptr<Tokenizer> load_tokenizer(const std::string& path);

}  // namespace tokenyard
