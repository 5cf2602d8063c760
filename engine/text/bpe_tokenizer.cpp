#include "engine/text/bpe_tokenizer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "engine/text/utf8.hpp"
#include "sim/kernel/input_error.hpp"

namespace tokenyard {

namespace {

// Places within a text are 32-bit numbers, and a normalizer may make it four times as long.
constexpr std::size_t kTextBytesMost = std::size_t{1} << 28;

}  // namespace

BpeTokenizer::BpeTokenizer(TokenTable table, BpeModel model)
    : Tokenizer(std::move(table)), model_(std::move(model)) {}

std::vector<Token> BpeTokenizer::encode(std::string_view text, const EncodeOptions& options) const {
  if (text.size() > kTextBytesMost) {
    throw InputError(fmt::format("{}: expected a text of at most {} bytes, found {}", model_.place,
                                 kTextBytesMost, text.size()));
  }
  std::vector<Token> out;
  if (options.add_special) out = model_.before;
  Merger merger(model_.merges);
  for (const auto& part : model_.added.split(text, options.parse_special)) {
    if (part.token >= 0) {
      out.push_back(part.token);
      continue;
    }
    const std::string changed = normalized(part.text, model_.normalizer);
    for (const auto& inner : model_.added_after_normalizing.split(changed, options.parse_special)) {
      if (inner.token >= 0) {
        out.push_back(inner.token);
        continue;
      }
      pre_tokenize(inner.text, model_.pre_tokenizer,
                   [&](std::string_view piece) { encode_piece(piece, merger, out); });
    }
  }
  if (options.add_special) out.insert(out.end(), model_.after.begin(), model_.after.end());
  return out;
}

void BpeTokenizer::encode_piece(std::string_view piece, Merger& merger,
                                std::vector<Token>& out) const {
  if (const auto whole = model_.whole.find(piece); whole != model_.whole.end()) {
    out.push_back(whole->second);
    return;
  }
  const std::size_t first = out.size();
  append_first_tokens(piece, out);
  merger.merge(out, first);
}

void BpeTokenizer::append_first_tokens(std::string_view piece, std::vector<Token>& out) const {
  bool after_unknown = false;
  while (!piece.empty()) {
    const std::string_view one =
        piece.substr(0, model_.by_character ? utf8_step(piece).bytes : std::size_t{1});
    piece.remove_prefix(one.size());
    const auto token_of = [&](char byte) { return model_.bytes[static_cast<std::uint8_t>(byte)]; };
    const auto character =
        model_.by_character ? model_.characters.find(one) : model_.characters.end();
    if (character != model_.characters.end()) {
      out.push_back(character->second);
      after_unknown = false;
    } else if (std::all_of(one.begin(), one.end(), [&](char b) { return token_of(b) >= 0; })) {
      for (const char byte : one) out.push_back(token_of(byte));
      after_unknown = false;
    } else if (model_.unknown >= 0) {
      if (!after_unknown || !model_.fuses_unknown) out.push_back(model_.unknown);
      after_unknown = true;
    } else {
      throw InputError(
          fmt::format("{}: the vocabulary has no token for the byte 0x{:02X} and no "
                      "unknown token",
                      model_.place, static_cast<std::uint8_t>(one.front())));
    }
  }
}

}  // namespace tokenyard
