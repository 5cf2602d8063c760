#include "engine/text/merge_table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <vector>

#include "sim/kernel/rng.hpp"

namespace tokenyard {
namespace {

using ::testing::ElementsAre;

/// The definition, carried out word for word: look at all neighbours, merge the best, begin again.
std::vector<Token> merged_by_definition(const MergeTable& table, std::vector<Token> tokens) {
  for (;;) {
    std::uint32_t best_rank = std::numeric_limits<std::uint32_t>::max();
    std::size_t best = tokens.size();
    Token token = -1;
    for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
      const auto* merge = table.find(tokens[i], tokens[i + 1]);
      if (merge == nullptr || merge->rank >= best_rank) continue;
      best_rank = merge->rank;
      best = i;
      token = merge->token;
    }
    if (best == tokens.size()) return tokens;
    tokens[best] = token;
    tokens.erase(tokens.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  }
}

// Would catch: a merge done too early, at the wrong place among equals, on neighbours that are no
// longer there, or missed. Merges of equal rank, and pairs that become the same token, included.
TEST(Merger, AgreesWithTheDefinition) {
  Rng rng = named_stream(1, "merges");
  for (int round = 0; round < 2000; ++round) {
    MergeTable table;
    const Token letters = 1 + static_cast<Token>(rng() % 4);
    const Token most = letters + static_cast<Token>(rng() % 12);
    for (Token token = letters; token < most; ++token) {
      table.add(static_cast<Token>(rng() % static_cast<std::uint64_t>(token)),
                static_cast<Token>(rng() % static_cast<std::uint64_t>(token)),
                {static_cast<std::uint32_t>(rng() % 8), token});
    }
    Merger merger(table);
    for (int text = 0; text < 3; ++text) {
      std::vector<Token> tokens(rng() % 30);
      for (Token& token : tokens) {
        token = static_cast<Token>(rng() % static_cast<std::uint64_t>(letters));
      }
      std::vector<Token> all = {0, 0};  // what stands before is not touched
      all.insert(all.end(), tokens.begin(), tokens.end());
      merger.merge(all, 2);
      auto expected = merged_by_definition(table, tokens);
      expected.insert(expected.begin(), {0, 0});
      ASSERT_EQ(all, expected) << "round " << round;
    }
  }
}

// Would catch: pairs mixed up in the key (left for right, or cut to fewer bits).
TEST(MergeTable, PairsAreTheirOwn) {
  MergeTable table;
  constexpr Token kHigh = std::numeric_limits<Token>::max();
  table.add(1, 2, {0, 10});
  table.add(2, 1, {1, 11});
  table.add(kHigh, 0, {2, 12});
  table.add(0, kHigh, {3, 13});
  EXPECT_EQ(table.find(1, 2)->token, 10);
  EXPECT_EQ(table.find(2, 1)->token, 11);
  EXPECT_EQ(table.find(kHigh, 0)->token, 12);
  EXPECT_EQ(table.find(0, kHigh)->token, 13);
  EXPECT_EQ(table.find(0, 0), nullptr);
  table.add(1, 2, {4, 14});
  EXPECT_EQ(table.find(1, 2)->token, 14) << "the later one counts";
}

// Would catch: quadratic merging (the test would not end).
TEST(Merger, AMillionTokensOfOnePiece) {
  MergeTable table;
  for (Token token = 0; token < 10; ++token) {
    table.add(token, token, {static_cast<std::uint32_t>(token), token + 1});
  }
  std::vector<Token> tokens((1U << 20) + 5, 0);
  Merger(table).merge(tokens, 0);
  ASSERT_EQ(tokens.size(), (1U << 10) + 2);
  EXPECT_EQ(tokens.front(), 10);
  EXPECT_THAT(std::vector(tokens.end() - 3, tokens.end()), ElementsAre(10, 2, 0));
}

}  // namespace
}  // namespace tokenyard
