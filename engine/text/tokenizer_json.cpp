#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/text/byte_alphabet.hpp"
#include "engine/text/hugging_face_model.hpp"
#include "engine/text/special_names.hpp"
#include "engine/text/tokenizer_files.hpp"
#include "engine/text/tokenizer_json_steps.hpp"
#include "engine/text/utf8.hpp"
#include "sim/kernel/strict_json.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

namespace {

/// The byte of "<0xHH>".
std::optional<std::uint8_t> fallback_byte(std::string_view text) {
  if (text.size() != 6 || !text.starts_with("<0x") || !text.ends_with('>')) return std::nullopt;
  std::uint8_t byte = 0;
  const auto [end, error] = std::from_chars(text.data() + 3, text.data() + 5, byte, 16);
  if (error != std::errc() || end != text.data() + 5) return std::nullopt;
  return byte;
}

/// A vocabulary of characters, with tokens for the bytes of those that it has not.
Vocabulary read_character_vocabulary(
    const std::vector<std::pair<std::string, std::int64_t>>& tokens, const Decoder& decoder,
    BpeModel& model, const Vocabulary::Refuse& refuse) {
  Vocabulary vocabulary;
  model.by_character = true;
  model.bytes.fill(-1);
  for (const auto& [text, token] : tokens) {
    std::string piece = normalized(text, std::array{decoder.replace});
    if (const auto byte = fallback_byte(text)) {
      piece = std::string(1, static_cast<char>(*byte));
      // Hugging Face looks for upper-case digits only.
      if (text == fmt::format("<0x{:02X}>", *byte)) model.bytes[*byte] = static_cast<Token>(token);
    }
    vocabulary.add(text, token, std::move(piece), refuse);
    const Utf8Step step = utf8_step(text);
    if (step.valid && step.bytes == text.size()) {
      model.characters.emplace(text, static_cast<Token>(token));
    }
  }
  return vocabulary;
}

void check_model(const JsonObject& model) {
  // Files from before types were written are BPE where they have merges.
  if (model.has("type") || !model.has("merges")) model.choice("type", {"BPE"});
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    if (model.has_value(key) && !model.string(key).empty()) {
      model.refuse(key, "expected none; word marks are not supported");
    }
  }
  if (model.has_value("dropout")) model.number("dropout", 0, 0);
}

void read_merges(const JsonObject& file, const Vocabulary& vocabulary, BpeModel& model) {
  const Vocabulary::Refuse refuse = [&](const std::string& message) {
    file.refuse("merges", message);
  };
  std::uint32_t rank = 0;
  for (const auto& merge : file.string_lists("merges")) {
    if (merge.size() == 2) {
      add_merge(vocabulary, merge[0], merge[1], rank++, model, refuse);
      continue;
    }
    // The older form: both parts in one string.
    const auto parts = merge.size() == 1 ? split(merge[0], ' ') : std::vector<std::string_view>();
    if (parts.size() != 2) refuse(fmt::format("expected two parts in merge {}", rank));
    add_merge(vocabulary, parts[0], parts[1], rank++, model, refuse);
  }
}

void read_added_tokens(const JsonObject& file, Vocabulary& vocabulary, BpeModel& model) {
  if (!file.has_value("added_tokens")) return;
  std::vector<AddedToken> as_is;
  std::vector<AddedToken> after_normalizing;
  for (const JsonObject& entry : file.objects("added_tokens")) {
    AddedToken added;
    added.content = entry.string("content");
    added.token = static_cast<Token>(entry.integer("id", 0, kVocabularyMost - 1));
    added.special = entry.flag_or("special", false);
    added.strips_left = entry.flag_or("lstrip", false);
    added.strips_right = entry.flag_or("rstrip", false);
    if (added.content.empty()) entry.refuse("content", "expected a text, found \"\"");
    if (entry.flag_or("single_word", false)) {
      entry.refuse("single_word", "expected false; tokens that must be words are not supported");
    }
    vocabulary.add_added(added, [&](const std::string& message) { entry.refuse("id", message); });
    if (!entry.flag_or("normalized", false)) {
      as_is.push_back(std::move(added));
      continue;
    }
    added.content = normalized(added.content, model.normalizer);
    if (!added.content.empty()) after_normalizing.push_back(std::move(added));
  }
  model.added = AddedTokens(std::move(as_is));
  model.added_after_normalizing = AddedTokens(std::move(after_normalizing));
}

/// Pieces that are one token by the vocabulary alone. With the byte alphabet, only tokens that are
/// written in it stand for bytes.
TokensByText whole_pieces(const std::vector<std::pair<std::string, std::int64_t>>& tokens,
                          bool byte_level) {
  TokensByText whole;
  for (const auto& [text, token] : tokens) {
    const auto piece = byte_level ? bytes_of_characters(text) : text;
    if (piece) whole.emplace(*piece, static_cast<Token>(token));
  }
  return whole;
}

}  // namespace

std::unique_ptr<Tokenizer> load_tokenizer_json(const std::filesystem::path& path) {
  const std::string place = path.string();
  const JsonObject file = JsonFile::read(place);
  const JsonObject stored = file.object("model");
  check_model(stored);

  BpeModel model;
  model.place = place;
  model.normalizer = read_normalizer(file);
  PreTokenizer pre_tokenizer = read_pre_tokenizer(file, place);
  model.pre_tokenizer = std::move(pre_tokenizer.steps);
  const Decoder decoder = read_decoder(file);
  const bool byte_fallback = stored.flag_or("byte_fallback", false);
  if (pre_tokenizer.byte_level ? !decoder.byte_level
                               : !byte_fallback || !decoder.byte_fallback || decoder.byte_level) {
    file.refuse("decoder",
                "expected ByteLevel, as pre-tokenizer and decoder, or byte fallback, in model and "
                "decoder");
  }

  const Vocabulary::Refuse refuse = [&](const std::string& message) {
    stored.refuse("vocab", message);
  };
  const auto tokens = stored.object("vocab").integer_members(0, kVocabularyMost - 1);
  Vocabulary vocabulary = pre_tokenizer.byte_level
                              ? read_byte_level_vocabulary(tokens, model, refuse)
                              : read_character_vocabulary(tokens, decoder, model, refuse);
  read_merges(stored, vocabulary, model);
  if (stored.flag_or("ignore_merges", false)) {
    model.whole = whole_pieces(tokens, pre_tokenizer.byte_level);
  }
  read_added_tokens(file, vocabulary, model);
  if (stored.has_value("unk_token")) {
    const auto unknown = vocabulary.by_text.find(stored.string("unk_token"));
    if (unknown != vocabulary.by_text.end()) model.unknown = unknown->second;
  }
  model.fuses_unknown = stored.flag_or("fuse_unk", false);

  const auto size = static_cast<std::int64_t>(vocabulary.table.pieces.size());
  const Template around = read_post_processor(file, size);
  model.before.assign(around.before.begin(), around.before.end());
  model.after.assign(around.after.begin(), around.after.end());

  const SpecialNames names = SpecialNames::read(path.parent_path());
  const auto token_of = [&](const std::string& name, Token fallback) {
    const auto known = vocabulary.by_text.find(name);
    return known == vocabulary.by_text.end() ? fallback : known->second;
  };
  vocabulary.table.begin_token = token_of(names.begin, model.before.empty() ? -1 : model.before[0]);
  vocabulary.table.end_token = token_of(names.end, -1);
  vocabulary.table.drops_first_space = decoder.drops_first_space;
  return std::make_unique<BpeTokenizer>(std::move(vocabulary.table), std::move(model));
}

}  // namespace tokenyard
