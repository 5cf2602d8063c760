#pragma once
// Tokens to text while they are made.

#include <string>
#include <string_view>

#include "engine/text/tokenizer.hpp"

namespace tokenyard {

/// Turns a sequence's tokens into text as they come, in whole UTF-8 characters: the bytes of an
/// unfinished character wait for their rest. What is not well-formed becomes U+FFFD (as `Utf8Step`
/// counts), so that all parts together are the decoded text made valid. Special tokens and tokens
/// that the vocabulary does not have give nothing. One a sequence; not thread-safe.
class TextStream {
 public:
  /// `begins_text`: no text came before (the prompt was empty, or the begin token only), so that a
  /// space that stands for the text's beginning is dropped. `tokenizer` must outlive the stream.
  explicit TextStream(const Tokenizer& tokenizer, bool begins_text = false);

  /// The text that this token completes; often all of its own, sometimes nothing.
  std::string push(Token token);

  /// The end of the sequence: an unfinished character becomes U+FFFD. Nothing may follow.
  std::string finish();

 private:
  const Tokenizer& tokenizer_;
  bool drop_space_;
  std::string held_;  ///< the beginning of a character, at most three bytes between calls
};

}  // namespace tokenyard
