#include "engine/text/added_tokens.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "engine/text/utf8.hpp"
#include "sim/kernel/invariant.hpp"

namespace tokenyard {

namespace {

std::size_t white_space_at_start(std::string_view text) {
  std::size_t bytes = 0;
  while (bytes < text.size()) {
    const Utf8Step step = utf8_step(text.substr(bytes));
    if (!step.valid || !is_white_space(step.character)) break;
    bytes += step.bytes;
  }
  return bytes;
}

std::size_t white_space_at_end(std::string_view text) {
  std::size_t bytes = 0;
  while (bytes < text.size()) {
    // A character's first byte is the last one that continues none.
    std::size_t start = text.size() - bytes - 1;
    while (start > 0 && (text[start] & '\xC0') == '\x80') --start;
    const std::string_view last = text.substr(start, text.size() - bytes - start);
    const Utf8Step step = utf8_step(last);
    if (!step.valid || step.bytes != last.size() || !is_white_space(step.character)) break;
    bytes += last.size();
  }
  return bytes;
}

}  // namespace

AddedTokens::AddedTokens(std::vector<AddedToken> tokens) : tokens_(std::move(tokens)) {
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    invariant(!tokens_[i].content.empty(), "an added token has a content", "token {}",
              tokens_[i].token);
    std::int32_t node = 0;
    for (const char byte : tokens_[i].content) {
      const auto [next, added] =
          nodes_[node].next.emplace(byte, static_cast<std::int32_t>(nodes_.size()));
      node = next->second;
      if (added) nodes_.emplace_back();
    }
    nodes_[node].token = static_cast<std::int32_t>(i);
  }
}

std::int32_t AddedTokens::longest_at(std::string_view text) const {
  std::int32_t longest = -1;
  std::int32_t node = 0;
  for (const char byte : text) {
    const auto next = nodes_[node].next.find(byte);
    if (next == nodes_[node].next.end()) break;
    node = next->second;
    if (nodes_[node].token >= 0) longest = nodes_[node].token;
  }
  return longest;
}

std::vector<AddedTokens::Part> AddedTokens::split(std::string_view text, bool special) const {
  std::vector<Part> parts;
  std::size_t done = 0;  // all before is in `parts`
  for (std::size_t at = 0; at < text.size();) {
    const std::int32_t found = longest_at(text.substr(at));
    if (found < 0) {
      ++at;
      continue;
    }
    const AddedToken& token = tokens_[found];
    std::size_t start = at;
    at += token.content.size();
    // A special token that is taken for text still covers the tokens within it.
    if (token.special && !special) continue;
    std::size_t end = at;
    if (token.strips_left) start -= white_space_at_end(text.substr(done, start - done));
    if (token.strips_right) end += white_space_at_start(text.substr(end));
    if (start > done) parts.push_back({text.substr(done, start - done), -1});
    parts.push_back({text.substr(start, end - start), token.token});
    done = end;
    at = std::max(at, end);
  }
  if (done < text.size()) parts.push_back({text.substr(done), -1});
  return parts;
}

}  // namespace tokenyard
