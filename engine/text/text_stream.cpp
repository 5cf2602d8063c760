#include "engine/text/text_stream.hpp"

#include "engine/text/utf8.hpp"

namespace tokenyard {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

/// Moves what is complete out of `bytes`; what may still become a character stays, unless `last`.
std::string take_characters(std::string& bytes, bool last) {
  std::string text;
  std::string_view rest = bytes;
  while (!rest.empty()) {
    const Utf8Step step = utf8_step(rest);
    if (step.unfinished && !last) break;
    text += step.valid ? rest.substr(0, step.bytes) : kReplacement;
    rest.remove_prefix(step.bytes);
  }
  bytes.erase(0, bytes.size() - rest.size());
  return text;
}

}  // namespace

TextStream::TextStream(const Tokenizer& tokenizer, bool begins_text)
    : tokenizer_(tokenizer), drop_space_(begins_text && tokenizer.drops_first_space()) {}

std::string TextStream::push(Token token) {
  if (tokenizer_.is_special(token)) return "";
  std::string_view piece = tokenizer_.piece(token);
  if (piece.empty()) return "";
  if (drop_space_ && piece.front() == ' ') piece.remove_prefix(1);
  drop_space_ = false;
  held_ += piece;
  return take_characters(held_, false);
}

std::string TextStream::finish() {
  return take_characters(held_, true);
}

}  // namespace tokenyard
