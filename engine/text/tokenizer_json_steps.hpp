#pragma once
// The parts of Hugging Face's tokenizer.json around the model: each is null or an object with a
// `type`. What we do not carry out is refused by its type.

#include <string>
#include <vector>

#include "engine/text/pre_tokenizer.hpp"
#include "sim/kernel/strict_json.hpp"

namespace tokenyard {

/// `normalizer`: null, Prepend, one Replace (of a string) or NFC, or a Sequence of these.
std::vector<NormalizerStep> read_normalizer(const JsonObject& file);

struct PreTokenizer {
  std::vector<PreTokenizerStep> steps;
  bool byte_level = false;  ///< the last step, which also turns bytes into the byte alphabet
};

/// `pre_tokenizer`: null, ByteLevel, Split, or a Sequence of these. `place` names the file.
PreTokenizer read_pre_tokenizer(const JsonObject& file, const std::string& place);

/// `decoder`: what it makes of a token's text.
struct Decoder {
  bool byte_level = false;     ///< the byte alphabet
  bool byte_fallback = false;  ///< "<0xHH>" is a byte
  NormalizerStep replace;      ///< of a string by another
  bool drops_first_space = false;
};

/// ByteLevel; or Replace, ByteFallback, Fuse and Strip (of one space at the start), alone or in a
/// Sequence.
Decoder read_decoder(const JsonObject& file);

/// `post_processor`: names of the tokens that it puts before and after a text. Null, ByteLevel
/// (which only concerns offsets), TemplateProcessing, or a Sequence of these.
struct Template {
  std::vector<std::int64_t> before;
  std::vector<std::int64_t> after;
};
Template read_post_processor(const JsonObject& file, std::int64_t vocabulary);

}  // namespace tokenyard
