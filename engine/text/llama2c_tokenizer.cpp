#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "engine/text/bpe_tokenizer.hpp"
#include "engine/text/tokenizer_files.hpp"
#include "engine/text/utf8.hpp"
#include "sim/kernel/input_error.hpp"

namespace tokenyard {

static_assert(std::endian::native == std::endian::little, "the file is read as it lies");

namespace {

constexpr Token kBegin = 1;
constexpr Token kEnd = 2;
constexpr Token kFirstByte = 3;  // token of the byte 0
constexpr Token kFirstText = kFirstByte + 256;
constexpr std::int32_t kTokenBytesMost = 1024;
constexpr float kScoreLeast = -1e10F;  // run.c merges nothing that scores this or less

struct ScoredToken {
  float score = 0.0F;
  std::string text;
};

/// Reads numbers from the file's bytes and never goes beyond them.
class Reader {
 public:
  Reader(const std::string& bytes, const std::string& place) : rest_(bytes), place_(place) {}

  bool done() const { return rest_.empty(); }

  template <typename Number>
  Number number(std::string_view what) {
    Number value;
    const std::string_view bytes = take(sizeof value, what);
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
  }

  std::string_view take(std::size_t bytes, std::string_view what) {
    if (rest_.size() < bytes) {
      throw InputError(place_, 0, "",
                       fmt::format("ends within {}: expected {} bytes more, found {}", what, bytes,
                                   rest_.size()));
    }
    const std::string_view taken = rest_.substr(0, bytes);
    rest_.remove_prefix(bytes);
    return taken;
  }

 private:
  std::string_view rest_;
  const std::string& place_;
};

std::vector<ScoredToken> read_tokens(const std::string& place) {
  const std::string bytes = read_binary_file(place);
  Reader reader(bytes, place);
  const auto longest = reader.number<std::int32_t>("the longest token's length");
  if (longest < 1 || longest > kTokenBytesMost) {
    throw InputError(
        place, 0, "longest token",
        fmt::format("expected from 1 to {} bytes, found {}", kTokenBytesMost, longest));
  }
  std::vector<ScoredToken> tokens;
  while (!reader.done()) {
    const std::string what = fmt::format("token {}", tokens.size());
    if (std::cmp_equal(tokens.size(), kVocabularyMost)) {
      throw InputError(place, 0, what, fmt::format("expected at most {}", kVocabularyMost));
    }
    const auto score = reader.number<float>(what);
    if (!std::isfinite(score) || score <= kScoreLeast) {
      throw InputError(
          place, 0, what,
          fmt::format("expected a finite score above {}, found {}", kScoreLeast, score));
    }
    const auto length = reader.number<std::int32_t>(what);
    if (length < 1 || length > longest) {
      throw InputError(place, 0, what,
                       fmt::format("expected from 1 to {} bytes, found {}", longest, length));
    }
    tokens.push_back({score, std::string(reader.take(static_cast<std::size_t>(length), what))});
  }
  return tokens;
}

/// A merge's rank is its token's place among the scores, the best first; equal scores share one.
std::vector<std::uint32_t> ranks_of(const std::vector<ScoredToken>& tokens) {
  std::map<float, std::uint32_t, std::greater<>> ranks;
  for (const auto& token : tokens) ranks.emplace(token.score, 0);
  std::uint32_t next = 0;
  for (auto& [score, rank] : ranks) rank = next++;
  std::vector<std::uint32_t> of_tokens;
  for (const auto& token : tokens) of_tokens.push_back(ranks.at(token.score));
  return of_tokens;
}

TokensByText tokens_by_text(const std::vector<ScoredToken>& tokens, const std::string& place) {
  TokensByText by_text;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const auto [found, added] = by_text.emplace(tokens[i].text, static_cast<Token>(i));
    if (!added) {
      throw InputError(
          place, 0, fmt::format("token {}", i),
          fmt::format("expected a text of its own, found that of token {}", found->second));
    }
  }
  return by_text;
}

/// run.c merges two tokens where their texts together are a token's. So each token's merges are the
/// ways to cut it into two tokens. Markers and bytes are never the outcome, so that no text can
/// spell them (no vocabulary in use has the parts for that).
MergeTable merges_of(const std::vector<ScoredToken>& tokens, const TokensByText& by_text) {
  const auto ranks = ranks_of(tokens);
  MergeTable merges;
  for (std::size_t i = kFirstText; i < tokens.size(); ++i) {
    const std::string_view text = tokens[i].text;
    for (std::size_t cut = 1; cut < text.size(); ++cut) {
      const auto left = by_text.find(text.substr(0, cut));
      if (left == by_text.end()) continue;
      const auto right = by_text.find(text.substr(cut));
      if (right == by_text.end()) continue;
      merges.add(left->second, right->second, {ranks[i], static_cast<Token>(i)});
    }
  }
  return merges;
}

void check_bytes(const std::vector<ScoredToken>& tokens, const std::string& place) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::size_t token = static_cast<std::size_t>(kFirstByte + byte);
    const std::string expected = fmt::format("<0x{:02X}>", byte);
    if (token >= tokens.size() || tokens[token].text != expected) {
      throw InputError(place, 0, fmt::format("token {}", token),
                       fmt::format("expected the byte {}", expected));
    }
  }
}

}  // namespace

std::unique_ptr<Tokenizer> load_llama2c_tokenizer(const std::filesystem::path& file) {
  const std::string place = file.string();
  const std::vector<ScoredToken> tokens = read_tokens(place);
  check_bytes(tokens, place);
  const TokensByText by_text = tokens_by_text(tokens, place);
  TokenTable table;
  BpeModel model;
  model.place = place;
  model.normalizer.push_back({.prepend = " ", .replace = "", .by = ""});
  model.by_character = true;
  for (const auto& [text, token] : by_text) {
    const Utf8Step step = utf8_step(text);
    if (token >= kFirstText && step.valid && step.bytes == text.size()) {
      model.characters.emplace(text, token);
    }
  }
  if (!model.characters.contains(" ")) {
    throw InputError(place, 0, "", "expected a token that is one space, to begin a text with");
  }
  for (const auto& token : tokens) table.pieces.push_back(token.text);
  for (int byte = 0; byte < 256; ++byte) {
    model.bytes[byte] = kFirstByte + byte;
    table.pieces[kFirstByte + byte] = std::string(1, static_cast<char>(byte));
  }
  model.merges = merges_of(tokens, by_text);
  model.before = {kBegin};
  table.special.assign(tokens.size(), false);
  std::fill_n(table.special.begin(), kFirstByte, true);
  table.begin_token = kBegin;
  table.end_token = kEnd;
  table.drops_first_space = true;
  return std::make_unique<BpeTokenizer>(std::move(table), std::move(model));
}

}  // namespace tokenyard
