// Which free block is used next, and so whose content is forgotten.

#include <gtest/gtest.h>

#include "sim/server/block_manager.hpp"
#include "tests/server/block_fixtures.hpp"

namespace tokenyard {
namespace {

// Behaviour 9 of vLLM's tests: the exact order after two requests were freed. First go the freed
// blocks without a name (partly filled ones), the last freed first; then those never used; then the
// named ones, the longest free first and of one table its end before its beginning.
// Would catch: any other order. A prefix must lose its end first, for its beginning is more often
// shared, and useless blocks must go before useful ones.
TEST(EvictionOrder, IsFixedAfterTwoFrees) {
  BlockManager blocks(10, 16);
  BlockTable first = compute(blocks, prompt_contents(1, 2));
  ASSERT_TRUE(blocks.grow(first, 3));
  BlockTable second = compute(blocks, prompt_contents(2, 2));
  ASSERT_TRUE(blocks.grow(second, 4));
  EXPECT_EQ(numbers(first), (BlockNumbers{0, 1, 2}));
  EXPECT_EQ(numbers(second), (BlockNumbers{3, 4, 5, 6}));
  blocks.release(first);
  blocks.release(second);
  EXPECT_EQ(numbers(take(blocks, 10)), (BlockNumbers{5, 6, 2, 7, 8, 9, 1, 0, 4, 3}));
}

// Behaviour 8, its second half: blocks found in the middle of the free ones leave the order of the
// others as it was.
// Would catch: a removal that loses the blocks before or behind it.
TEST(EvictionOrder, AHitInTheMiddleKeepsTheOrderOfTheOthers) {
  BlockManager blocks(6, 16);
  std::vector<BlockTable> tables;
  for (std::uint64_t name = 0; name < 3; ++name) {
    tables.push_back(compute(blocks, prompt_contents(name, 2)));
  }
  for (BlockTable& table : tables) blocks.release(table);
  std::vector<BlockId> found;
  blocks.find_prefix(prompt_contents(1, 2), found);
  BlockTable again;
  ASSERT_TRUE(blocks.start(again, found, 2));
  EXPECT_EQ(numbers(again), (BlockNumbers{2, 3}));
  EXPECT_EQ(numbers(take(blocks, 4)), (BlockNumbers{1, 0, 5, 4}));
}

// Would catch: an order of first use instead of last use (behaviour 35 asks the same of vLLM's host
// tier: its order follows each touch).
TEST(EvictionOrder, AHitMakesAContentTheLastToBeForgotten) {
  BlockManager blocks(4, 16);
  const auto hit = prompt_contents(1, 2);
  const auto other = prompt_contents(2, 2);
  BlockTable first = compute(blocks, hit);
  BlockTable second = compute(blocks, other);
  blocks.release(first);
  blocks.release(second);
  std::vector<BlockId> found;
  blocks.find_prefix(hit, found);
  ASSERT_TRUE(blocks.start(first, found, 2));
  blocks.release(first);
  const BlockTable newcomer = take(blocks, 2);
  EXPECT_EQ(look_up(blocks, hit), (BlockNumbers{0, 1}));
  EXPECT_EQ(look_up(blocks, other), BlockNumbers{});
}

// Would catch: a lookup that counts as a use; only taking the blocks is one.
TEST(EvictionOrder, ALookUpAloneSavesNoContent) {
  BlockManager blocks(2, 16);
  const auto older = prompt_contents(1, 1);
  BlockTable first = compute(blocks, older);
  BlockTable second = compute(blocks, prompt_contents(2, 1));
  blocks.release(first);
  blocks.release(second);
  EXPECT_EQ(look_up(blocks, older), (BlockNumbers{0}));
  EXPECT_EQ(numbers(take(blocks, 1)), (BlockNumbers{0}));
  EXPECT_EQ(look_up(blocks, older), BlockNumbers{});
}

// Behaviour 5: a block used anew has lost its name, also when its new content is a part of a block
// and never gets one.
// Would catch: a request that finds another's tokens under its own name.
TEST(EvictionOrder, ABlockUsedAnewLosesItsName) {
  BlockManager blocks(1, 16);
  const auto contents = prompt_contents(1, 1);
  BlockTable table = compute(blocks, contents);
  blocks.release(table);
  EXPECT_EQ(look_up(blocks, contents), (BlockNumbers{0}));
  BlockTable partly_filled = take(blocks, 1);
  EXPECT_EQ(look_up(blocks, contents), BlockNumbers{});
  EXPECT_EQ(blocks.cached(), 0);
  blocks.release(partly_filled);
  EXPECT_EQ(look_up(blocks, contents), BlockNumbers{});
  EXPECT_EQ(blocks.cached(), 0) << "free and without a name";

  const auto other = prompt_contents(2, 1);
  BlockTable renamed = compute(blocks, other);
  EXPECT_EQ(look_up(blocks, other), (BlockNumbers{0})) << "it can be named again";
}

// Would catch: a prefix forgotten from its beginning: nothing of the rest would ever be found.
TEST(EvictionOrder, APrefixIsForgottenFromItsEnd) {
  BlockManager blocks(4, 16);
  const auto contents = prompt_contents(1, 4);
  BlockTable table = compute(blocks, contents);
  blocks.release(table);
  BlockTable newcomer;
  for (std::size_t left = 4; left > 0; --left) {
    EXPECT_EQ(look_up(blocks, contents).size(), left);
    ASSERT_TRUE(blocks.grow(newcomer, static_cast<std::int64_t>(newcomer.size()) + 1));
  }
  EXPECT_EQ(look_up(blocks, contents), BlockNumbers{});
}

/// Three blocks with one content, in the order 0, 1, 2 of their sealing.
struct Twins {
  Twins() {
    for (BlockTable& table : tables) table = compute(blocks, content);
  }
  /// Makes the block of this table the next to be used anew, and uses it.
  void recycle(std::size_t table) {
    blocks.release(tables[table]);
    others.push_back(take(blocks, 1));
  }
  BlockNumbers found() const { return look_up(blocks, content); }

  BlockManager blocks{3, 16};
  std::vector<BlockHash> content = prompt_contents(1, 1);
  std::vector<BlockTable> tables{3};
  std::vector<BlockTable> others;
};

// Behaviour 16: requests that do not read the cache (vLLM: for prompt log-probabilities) still
// write it: one content in different blocks. Here they come from requests that were computed side
// by side.
// Would catch: a second block with a content that takes the first one's place or its name.
TEST(EvictionOrder, OfTwinsTheOldestIsFound) {
  Twins twins;
  EXPECT_EQ(numbers(twins.tables[2]), (BlockNumbers{2}));
  EXPECT_EQ(twins.found(), (BlockNumbers{0}));
  EXPECT_EQ(twins.blocks.held(), 3);
  EXPECT_EQ(twins.blocks.shared(), 0) << "blocks are not merged: tables never change under a run";
}

// Would catch: a content lost with the oldest of its blocks, or found in a block used anew.
TEST(EvictionOrder, WhenTheOldestTwinIsUsedAnewTheNextIsFound) {
  Twins twins;
  twins.recycle(0);
  EXPECT_EQ(twins.found(), (BlockNumbers{1}));
  twins.recycle(1);
  EXPECT_EQ(twins.found(), (BlockNumbers{2}));
  twins.recycle(2);
  EXPECT_EQ(twins.found(), BlockNumbers{});
}

// Would catch: a twin in the middle or at the end that takes its neighbours along when it goes.
TEST(EvictionOrder, YoungerTwinsGoWithoutTheOlder) {
  Twins twins;
  twins.recycle(1);
  EXPECT_EQ(twins.found(), (BlockNumbers{0}));
  twins.recycle(0);
  EXPECT_EQ(twins.found(), (BlockNumbers{2}));

  Twins again;
  again.recycle(2);
  EXPECT_EQ(again.found(), (BlockNumbers{0}));
  again.recycle(0);
  EXPECT_EQ(again.found(), (BlockNumbers{1}));
}

// Would catch: a block that comes back to a content keeping its old place among the twins.
TEST(EvictionOrder, ABlockSealedAnewIsTheYoungestTwin) {
  Twins twins;
  twins.recycle(0);
  twins.blocks.seal(twins.others[0][0], twins.content[0]);
  EXPECT_EQ(numbers(twins.others[0]), (BlockNumbers{0}));
  twins.recycle(1);
  EXPECT_EQ(twins.found(), (BlockNumbers{2}));
  twins.recycle(2);
  EXPECT_EQ(twins.found(), (BlockNumbers{0}));
}

}  // namespace
}  // namespace tokenyard
