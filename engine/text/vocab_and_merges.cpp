#include <fmt/format.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/text/hugging_face_model.hpp"
#include "engine/text/special_names.hpp"
#include "engine/text/tokenizer_files.hpp"
#include "sim/kernel/input_error.hpp"
#include "sim/kernel/strict_json.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

namespace {

// The role of all markers in GPT-2, whose folder names none.
constexpr const char* kGpt2Marker = "<|endoftext|>";

/// One merge a line, its two parts with a space between; a line "#version…" is a comment.
void read_merges(const std::string& place, const Vocabulary& vocabulary, BpeModel& model) {
  const std::string text = read_binary_file(place);
  std::size_t line_number = 0;
  std::uint32_t rank = 0;
  for (std::string_view line : split(text, '\n')) {
    ++line_number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.starts_with("#version")) continue;
    const auto refuse = [&](const std::string& message) {
      throw InputError(place, line_number, "", message);
    };
    const auto parts = split(line, ' ');
    if (parts.size() != 2) {
      refuse(fmt::format("expected two parts with a space between, found \"{}\"", printable(line)));
    }
    add_merge(vocabulary, parts[0], parts[1], rank++, model, refuse);
  }
}

/// Tokens that were added after the vocabulary was made; optional.
std::vector<std::pair<std::string, std::int64_t>> read_added(const std::filesystem::path& file) {
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) return {};
  return JsonFile::read(file.string()).integer_members(0, kVocabularyMost - 1);
}

}  // namespace

std::unique_ptr<Tokenizer> load_vocab_and_merges(const std::filesystem::path& folder) {
  const std::string place = (folder / "vocab.json").string();
  const Vocabulary::Refuse refuse = [&](const std::string& message) {
    throw InputError(place, 0, "", message);
  };
  BpeModel model;
  model.place = place;
  Vocabulary vocabulary = read_byte_level_vocabulary(
      JsonFile::read(place).integer_members(0, kVocabularyMost - 1), model, refuse);
  read_merges((folder / "merges.txt").string(), vocabulary, model);

  SpecialNames names = SpecialNames::read(folder);
  const bool has_marker = vocabulary.by_text.contains(kGpt2Marker);
  for (std::string* role : {&names.begin, &names.end, &names.unknown}) {
    if (role->empty() && has_marker) *role = kGpt2Marker;
    if (!role->empty()) names.all.push_back(*role);
  }
  std::vector<AddedToken> added;
  for (const auto& [content, token] : read_added(folder / "added_tokens.json")) {
    if (content.empty()) refuse("added_tokens.json has a token without a text");
    added.push_back({.content = content, .token = static_cast<Token>(token)});
    vocabulary.add_added(added.back(), refuse);
  }
  for (const std::string& name : names.all) {
    const auto known = vocabulary.by_text.find(name);
    if (known == vocabulary.by_text.end()) continue;  // a role that this model has no token for
    added.push_back({.content = name, .token = known->second, .special = true});
    vocabulary.add_added(added.back(), refuse);
  }

  const auto token_of = [&](const std::string& name) {
    const auto known = vocabulary.by_text.find(name);
    return known == vocabulary.by_text.end() ? -1 : known->second;
  };
  vocabulary.table.begin_token = token_of(names.begin);
  vocabulary.table.end_token = token_of(names.end);
  model.unknown = token_of(names.unknown);
  model.added = AddedTokens(std::move(added));
  PreTokenizerStep splitting = byte_level_splitting(place);
  splitting.prefix_space = names.adds_prefix_space;
  model.pre_tokenizer.push_back(std::move(splitting));
  if (names.adds_begin) {
    if (vocabulary.table.begin_token < 0) {
      throw InputError(folder.string(), 0, "add_bos_token",
                       fmt::format("expected a bos_token that is in vocab.json, found \"{}\"",
                                   printable(names.begin)));
    }
    model.before = {vocabulary.table.begin_token};
  }
  return std::make_unique<BpeTokenizer>(std::move(vocabulary.table), std::move(model));
}

}  // namespace tokenyard
