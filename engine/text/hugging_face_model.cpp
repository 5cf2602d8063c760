#include "engine/text/hugging_face_model.hpp"

#include <fmt/format.h>

#include <cstddef>

#include "engine/text/byte_alphabet.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

namespace {

constexpr std::string_view kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

}  // namespace

void Vocabulary::add(const std::string& text, std::int64_t token, std::string piece,
                     const Refuse& refuse) {
  const auto place = static_cast<std::size_t>(token);
  if (place >= taken_.size()) {
    taken_.resize(place + 1);
    table.pieces.resize(place + 1);
    table.special.resize(place + 1);
  }
  if (taken_[place]) {
    refuse(
        fmt::format("token {} is there twice, the second time as \"{}\"", token, printable(text)));
  }
  if (!by_text.emplace(text, static_cast<Token>(token)).second) {
    refuse(fmt::format("\"{}\" is there twice", printable(text)));
  }
  taken_[place] = true;
  table.pieces[place] = std::move(piece);
}

void Vocabulary::add_added(const AddedToken& added, const Refuse& refuse) {
  const auto known = by_text.find(added.content);
  if (known == by_text.end()) {
    add(added.content, added.token, added.content, refuse);
  } else if (known->second != added.token) {
    refuse(fmt::format("expected token {}, which is \"{}\" in the vocabulary, found {}",
                       known->second, printable(added.content), added.token));
  }
  table.pieces[added.token] = added.content;
  table.special[added.token] = added.special;
}

Token Vocabulary::find(std::string_view text, const Refuse& refuse) const {
  const auto found = by_text.find(text);
  if (found != by_text.end()) return found->second;
  refuse(fmt::format("\"{}\" is no token of the vocabulary", printable(text)));
  return -1;
}

Vocabulary read_byte_level_vocabulary(
    const std::vector<std::pair<std::string, std::int64_t>>& tokens, BpeModel& model,
    const Vocabulary::Refuse& refuse) {
  Vocabulary vocabulary;
  for (const auto& [text, token] : tokens) {
    vocabulary.add(text, token, bytes_of_characters(text).value_or(text), refuse);
  }
  for (std::size_t byte = 0; byte < 256; ++byte) {
    const auto found = vocabulary.by_text.find(byte_characters()[byte]);
    model.bytes[byte] = found == vocabulary.by_text.end() ? -1 : found->second;
  }
  return vocabulary;
}

void add_merge(const Vocabulary& vocabulary, std::string_view left, std::string_view right,
               std::uint32_t rank, BpeModel& model, const Vocabulary::Refuse& refuse) {
  const Token first = vocabulary.find(left, refuse);
  const Token second = vocabulary.find(right, refuse);
  const std::string whole = std::string(left) + std::string(right);
  model.merges.add(first, second, {rank, vocabulary.find(whole, refuse)});
}

PreTokenizerStep byte_level_splitting(const std::string& place) {
  return {.prefix_space = false,
          .pattern = SplitPattern(kGpt2Pattern, SplitPattern::Syntax::oniguruma, place),
          .dropped = {}};
}

}  // namespace tokenyard
