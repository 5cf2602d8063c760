// Blocks that stand in several tables: who holds them, who copies them before writing, and what
// giving them up gives back.

#include <gtest/gtest.h>

#include "sim/kernel/invariant.hpp"
#include "sim/server/block_manager.hpp"
#include "tests/server/block_fixtures.hpp"

namespace tokenyard {
namespace {

// Behaviour 36 of vLLM's tests: fork, then the first append to a shared block that is partly
// filled.
// Would catch: a fork that copies or reorders; a write into the block of another; a copy from the
// wrong block or over the wrong one; other blocks of the table replaced along with it.
TEST(CopyOnWrite, TheFirstWriteToASharedBlockCopiesIt) {
  BlockManager blocks(8, 16);
  BlockTable parent = take(blocks, 3);
  BlockTable child = blocks.fork(parent);
  EXPECT_EQ(numbers(child), numbers(parent));
  EXPECT_EQ(blocks.shared(), 3);
  EXPECT_EQ(blocks.saved(), 3);
  EXPECT_EQ(blocks.free(), 5);

  const auto copy = blocks.make_writable(child, 2);
  ASSERT_TRUE(copy);
  EXPECT_EQ(copy->from, parent[2]);
  EXPECT_EQ(copy->to, child[2]);
  EXPECT_EQ(numbers(parent), (BlockNumbers{0, 1, 2}));
  EXPECT_EQ(numbers(child), (BlockNumbers{0, 1, 3}));
  EXPECT_EQ(blocks.shared(), 2);
  EXPECT_EQ(blocks.saved(), 2);
  EXPECT_EQ(blocks.free(), 4);
}

// Would catch: a copy, and so a block, for every writer: the last one to write has the block alone.
TEST(CopyOnWrite, TheLastOfTheSharersWritesInPlace) {
  BlockManager blocks(8, 16);
  BlockTable first = take(blocks, 1);
  BlockTable second = blocks.fork(first);
  BlockTable third = blocks.fork(first);
  EXPECT_TRUE(blocks.make_writable(first, 0));
  EXPECT_TRUE(blocks.make_writable(second, 0));
  EXPECT_FALSE(blocks.make_writable(third, 0));
  EXPECT_EQ(numbers(third), (BlockNumbers{0}));
  EXPECT_FALSE(blocks.make_writable(first, 0)) << "it has had its copy";
  EXPECT_EQ(blocks.held(), 3);
  EXPECT_EQ(blocks.shared(), 0);
}

// Would catch: a fork of a prefix that takes the wrong end, or blocks beyond it.
TEST(CopyOnWrite, AForkMayShareOnlyTheBeginning) {
  BlockManager blocks(8, 16);
  const BlockTable parent = take(blocks, 4);
  BlockTable child = blocks.fork(parent, 2);
  EXPECT_EQ(numbers(child), (BlockNumbers{0, 1}));
  EXPECT_EQ(blocks.shared(), 2);
  ASSERT_TRUE(blocks.grow(child, 3));
  EXPECT_EQ(numbers(child), (BlockNumbers{0, 1, 4}));
  EXPECT_EQ(numbers(parent), (BlockNumbers{0, 1, 2, 3}));
}

// Would catch: a copy that carries the name along, so that what is written behind it would be
// found as the old content; and a name that the old block lost.
TEST(CopyOnWrite, TheNameOfAContentStaysWithTheOldBlock) {
  BlockManager blocks(8, 16);
  const auto contents = prompt_contents(1, 1);
  BlockTable parent = compute(blocks, contents);
  BlockTable child = blocks.fork(parent);
  ASSERT_TRUE(blocks.make_writable(child, 0));
  EXPECT_EQ(look_up(blocks, contents), (BlockNumbers{0}));
  blocks.release(parent);
  blocks.release(child);
  EXPECT_EQ(blocks.cached(), 1) << "the copy was named too";
}

// Would catch: a write into a block that others find by the content it had before.
TEST(CopyOnWrite, WritingABlockWhoseContentIsNamedBreaksAnInvariant) {
  BlockManager blocks(8, 16);
  BlockTable table = compute(blocks, prompt_contents(1, 1));
  EXPECT_THROW(blocks.make_writable(table, 0), InvariantBroken);
}

// Would catch: a copy without a block to go to.
TEST(CopyOnWrite, ACopyThatFindsNoFreeBlockBreaksAnInvariant) {
  BlockManager blocks(2, 16);
  BlockTable parent = take(blocks, 2);
  BlockTable child = blocks.fork(parent);
  EXPECT_THROW(blocks.make_writable(child, 1), InvariantBroken);
}

// Would catch: sums that count a block by its tables, where some leave and others stay.
TEST(CopyOnWrite, HeldSharedAndSavedFollowTheTables) {
  BlockManager blocks(8, 16);
  BlockTable first = take(blocks, 2);
  BlockTable second = blocks.fork(first);
  BlockTable third = blocks.fork(first, 1);
  EXPECT_EQ(blocks.held(), 2);
  EXPECT_EQ(blocks.shared(), 2);
  EXPECT_EQ(blocks.saved(), 3);
  blocks.release(second);
  EXPECT_EQ(blocks.held(), 2);
  EXPECT_EQ(blocks.shared(), 1);
  EXPECT_EQ(blocks.saved(), 1);
  blocks.release(first);
  EXPECT_EQ(blocks.held(), 1);
  EXPECT_EQ(blocks.shared(), 0);
  EXPECT_EQ(blocks.saved(), 0);
}

// Would catch: a tally that counts a shared block for the first of its tables, for each of them, or
// not at all when all are counted.
TEST(CopyOnWrite, ATallyCountsASharedBlockWithTheLastOfItsTables) {
  BlockManager blocks(10, 16);
  BlockTable first = take(blocks, 3);
  BlockTable second = blocks.fork(first, 2);
  BlockTable third = blocks.fork(first, 1);
  ASSERT_TRUE(blocks.grow(third, 4));

  blocks.begin_tally();
  EXPECT_EQ(blocks.tally(first), 1) << "its third block is its own";
  EXPECT_EQ(blocks.tally(second), 1) << "with the first table gone, the second block goes too";
  EXPECT_EQ(blocks.tally(third), 4);

  blocks.begin_tally();
  EXPECT_EQ(blocks.tally(third), 3) << "the count before must be forgotten";
  EXPECT_EQ(blocks.tally(first), 1);
  const std::int64_t held = blocks.held();
  blocks.release(third);
  blocks.release(first);
  EXPECT_EQ(held - blocks.held(), 3 + 1);
}

// Would catch: blocks that the request in need has found counted as what others can give it: it
// would get fewer than it was promised.
TEST(CopyOnWrite, ATallyLeavesOutWhatIsKept) {
  BlockManager blocks(10, 16);
  const BlockTable table = take(blocks, 3);
  const std::vector<BlockId> kept{table[1], BlockId{2}};
  blocks.begin_tally(kept);
  EXPECT_EQ(blocks.tally(table), 1);
  blocks.begin_tally();
  EXPECT_EQ(blocks.tally(table), 3) << "what was kept before must be forgotten";
}

// Would catch: a block added to the wrong end of a table, or without a reference of its own, so
// that it is freed under its second owner.
TEST(CopyOnWrite, ABlockMayBeSharedByItself) {
  BlockManager blocks(4, 16);
  BlockTable first = take(blocks, 2);
  BlockTable second = take(blocks, 1);
  blocks.share(second, first[1]);
  EXPECT_EQ(numbers(second), (BlockNumbers{2, 1}));
  blocks.release(first);
  EXPECT_EQ(blocks.held(), 2);
  EXPECT_EQ(numbers(take(blocks, 2)), (BlockNumbers{0, 3}));
}

// Would catch: a tally that takes the reference of a copy to the host for that of a table: giving
// the table up leaves no reference that holds the block.
TEST(CopyOnWrite, ATallyDoesNotWaitForCopiesToTheHost) {
  BlockManager blocks(4, 16);
  BlockTable table = take(blocks, 2);
  BlockTable copied = blocks.fork(table);
  blocks.start_draining(copied);
  blocks.begin_tally();
  EXPECT_EQ(blocks.tally(table), 2);
  blocks.release(table);
  EXPECT_EQ(blocks.held(), 0);
}

}  // namespace
}  // namespace tokenyard
