#include "engine/text/merge_table.hpp"

#include <algorithm>
#include <limits>

#include "sim/kernel/invariant.hpp"

namespace tokenyard {

namespace {

constexpr Token kMerged = -1;  // a place whose token became part of its left neighbour

std::uint64_t pair_key(Token left, Token right) {
  return static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32 |
         static_cast<std::uint32_t>(right);
}

}  // namespace

// The finaliser of MurmurHash3: identifiers of tokens are small numbers, and the standard library's
// hash of an integer is the integer.
std::size_t MergeTable::Hash::operator()(std::uint64_t pair) const {
  pair ^= pair >> 33;
  pair *= 0xFF51AFD7ED558CCDULL;
  pair ^= pair >> 33;
  pair *= 0xC4CEB9FE1A85EC53ULL;
  return pair ^ pair >> 33;
}

void MergeTable::add(Token left, Token right, Merge merge) {
  merges_.insert_or_assign(pair_key(left, right), merge);
}

const MergeTable::Merge* MergeTable::find(Token left, Token right) const {
  const auto found = merges_.find(pair_key(left, right));
  return found == merges_.end() ? nullptr : &found->second;
}

void Merger::find_pair(std::span<const Token> tokens, std::int32_t place) {
  const std::int32_t next = links_[place].next;
  if (next == static_cast<std::int32_t>(tokens.size())) return;
  const MergeTable::Merge* merge = table_.find(tokens[place], tokens[next]);
  if (merge == nullptr) return;
  queue_.push_back({merge->rank, place, tokens[place], tokens[next], merge->token});
}

void Merger::merge(std::vector<Token>& all, std::size_t first) {
  const std::span<Token> tokens = std::span(all).subspan(first);
  if (tokens.size() < 2) return;
  invariant(tokens.size() < std::numeric_limits<std::int32_t>::max(),
            "a text's places are 32-bit numbers", "{} tokens", tokens.size());
  const auto count = static_cast<std::int32_t>(tokens.size());
  links_.resize(tokens.size());
  for (std::int32_t i = 0; i < count; ++i) links_[i] = {i - 1, i + 1};
  queue_.clear();
  for (std::int32_t i = 0; i < count; ++i) find_pair(tokens, i);
  std::make_heap(queue_.begin(), queue_.end(), Later());

  while (!queue_.empty()) {
    std::pop_heap(queue_.begin(), queue_.end(), Later());
    const Pair pair = queue_.back();
    queue_.pop_back();
    const std::int32_t right = links_[pair.place].next;
    if (right == count || tokens[pair.place] != pair.left || tokens[right] != pair.right) continue;
    tokens[pair.place] = pair.merged;
    tokens[right] = kMerged;
    const std::int32_t next = links_[right].next;
    links_[pair.place].next = next;
    if (next != count) links_[next].previous = pair.place;
    for (const std::int32_t place : {links_[pair.place].previous, pair.place}) {
      if (place < 0) continue;
      const std::size_t found = queue_.size();
      find_pair(tokens, place);
      if (queue_.size() != found) std::push_heap(queue_.begin(), queue_.end(), Later());
    }
  }
  all.erase(std::remove(all.begin() + static_cast<std::ptrdiff_t>(first), all.end(), kMerged),
            all.end());
}

}  // namespace tokenyard
