#pragma once
// What the two Hugging Face formats share: a vocabulary by text, and merges that name its tokens.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/text/bpe_tokenizer.hpp"

namespace tokenyard {

/// A tokenizer while it is read. `refuse` throws an `InputError` at the place that is being read.
struct Vocabulary {
  using Refuse = std::function<void(const std::string& message)>;

  TokenTable table;
  TokensByText by_text;  ///< tokens by the text that the file gives them

  /// Adds a token with the bytes that it stands for. Refuses a number that is taken.
  void add(const std::string& text, std::int64_t token, std::string piece, const Refuse& refuse);

  /// Adds a token of `added_tokens`, or marks the vocabulary's own one of that text.
  void add_added(const AddedToken& added, const Refuse& refuse);

  /// The token of a text; refuses one that there is not.
  Token find(std::string_view text, const Refuse& refuse) const;

 private:
  std::vector<bool> taken_;
};

/// The vocabulary of byte-level BPE: each token's text is its bytes in the byte alphabet.
/// Fills in the model's tokens of single bytes.
Vocabulary read_byte_level_vocabulary(
    const std::vector<std::pair<std::string, std::int64_t>>& tokens, BpeModel& model,
    const Vocabulary::Refuse& refuse);

/// Adds a merge of rank `rank` to the model. Refuses parts, or a whole, that are no tokens.
void add_merge(const Vocabulary& vocabulary, std::string_view left, std::string_view right,
               std::uint32_t rank, BpeModel& model, const Vocabulary::Refuse& refuse);

/// The splitting of GPT-2, which ByteLevel stands for: contractions, letters, digits, other signs
/// (each with a space before), white space.
PreTokenizerStep byte_level_splitting(const std::string& place);

}  // namespace tokenyard
