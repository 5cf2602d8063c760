#include "sim/server/block_manager.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>

#include "sim/kernel/invariant.hpp"
#include "tests/server/block_fixtures.hpp"

namespace tokenyard {
namespace {

// Would catch: a last block that is forgotten or counted twice, at sizes around a block's edge.
TEST(BlockManager, RoundsTokensUpToBlocks) {
  const BlockManager blocks(10, 16);
  EXPECT_EQ(blocks.blocks_for(0), 0);
  EXPECT_EQ(blocks.blocks_for(1), 1);
  EXPECT_EQ(blocks.blocks_for(16), 1);
  EXPECT_EQ(blocks.blocks_for(17), 2);
  EXPECT_EQ(blocks.blocks_for(160), 10);
}

// Would catch: a growth that takes what there is and then fails, which would leak blocks or leave
// a table that is longer than its owner believes.
TEST(BlockManager, GrowsAllOrNothing) {
  BlockManager blocks(4, 1);
  BlockTable first, second;
  ASSERT_TRUE(blocks.grow(first, 3));
  EXPECT_FALSE(blocks.grow(second, 2));
  EXPECT_TRUE(second.empty());
  EXPECT_EQ(blocks.free(), 1);
  EXPECT_FALSE(blocks.grow(first, 5));
  EXPECT_EQ(first.size(), 3u);
  EXPECT_TRUE(blocks.grow(second, 1));
  EXPECT_EQ(blocks.free(), 0);
}

// Behaviour 1 of vLLM's tests: allocating to exhaustion. Behaviour 4: no block is kept back; ours
// has no null block, for its tables have no gaps.
// Would catch: a block counted wrongly on its way out, one that the pool never hands out, and a
// failed allocation that leaves its mark.
TEST(BlockManager, HandsOutEachBlockOnceUntilNoneIsLeft) {
  BlockManager blocks(5, 16);
  BlockTable table;
  for (std::int64_t taken = 1; taken <= 5; ++taken) {
    ASSERT_TRUE(blocks.grow(table, taken));
    EXPECT_EQ(blocks.free(), 5 - taken);
  }
  EXPECT_EQ(numbers(table), (BlockNumbers{0, 1, 2, 3, 4}));
  EXPECT_FALSE(blocks.grow(table, 6));
  EXPECT_EQ(numbers(table), (BlockNumbers{0, 1, 2, 3, 4}));
  EXPECT_EQ(blocks.free(), 0);
}

// Behaviour 37: a sequence that grows takes exactly the difference of the rounded sizes.
// Would catch: a block too many or too few where a prompt, the new tokens or a lookahead end on a
// block's edge.
TEST(BlockManager, GrowingTakesTheDifferenceOfTheRoundedSizes) {
  constexpr std::int64_t kBlockSize = 4;
  const auto rounded_up = [](std::int64_t tokens) {
    return tokens / kBlockSize + (tokens % kBlockSize > 0 ? 1 : 0);
  };
  for (std::int64_t prompt = 1; prompt <= 2 * kBlockSize; ++prompt) {
    for (std::int64_t more = 0; more <= 3 * kBlockSize; ++more) {
      BlockManager blocks(10, kBlockSize);
      BlockTable table = take(blocks, blocks.blocks_for(prompt));
      const std::int64_t free = blocks.free();
      ASSERT_TRUE(blocks.grow(table, blocks.blocks_for(prompt + more)));
      EXPECT_EQ(free - blocks.free(), rounded_up(prompt + more) - rounded_up(prompt));
    }
  }
}

// Behaviour 34: now, later or never, with the watermark counted in.
// Would catch: a watermark that is left out, one block beyond or short of each border, and a
// request that waits for ever for blocks the pool does not have.
TEST(BlockManager, SaysNowLaterOrNever) {
  BlockManager blocks(10, 16);
  EXPECT_EQ(blocks.can_allocate(10), Allocation::now);
  EXPECT_EQ(blocks.can_allocate(11), Allocation::never);
  EXPECT_EQ(blocks.can_allocate(8, 2), Allocation::now);
  EXPECT_EQ(blocks.can_allocate(9, 2), Allocation::never);
  BlockTable other = take(blocks, 3);
  EXPECT_EQ(blocks.can_allocate(7), Allocation::now);
  EXPECT_EQ(blocks.can_allocate(8), Allocation::later);
  EXPECT_EQ(blocks.can_allocate(5, 2), Allocation::now);
  EXPECT_EQ(blocks.can_allocate(6, 2), Allocation::later);
  blocks.release(other);
  EXPECT_EQ(blocks.can_allocate(10), Allocation::now);
}

// Would catch: a table that shrinks or takes blocks anew when it already covers its tokens.
TEST(BlockManager, GrowingToASmallerSizeChangesNothing) {
  BlockManager blocks(4, 1);
  BlockTable table;
  ASSERT_TRUE(blocks.grow(table, 3));
  const BlockTable before = table;
  EXPECT_TRUE(blocks.grow(table, 2));
  EXPECT_EQ(table, before);
  EXPECT_EQ(blocks.held(), 3);
}

// Would catch: sharing that counts a block twice as held, or frees it with the first of its users.
TEST(BlockManager, ASharedBlockIsHeldOnceAndFreedWithItsLastReference) {
  BlockManager blocks(4, 1);
  BlockTable table;
  ASSERT_TRUE(blocks.grow(table, 2));
  BlockTable copy = blocks.fork(table);
  EXPECT_EQ(copy, table);
  EXPECT_EQ(blocks.held(), 2);
  blocks.release(table);
  EXPECT_EQ(blocks.held(), 2);
  blocks.release(copy);
  EXPECT_EQ(blocks.free(), 4);
}

// Behaviour 2: freeing returns each block once and leaves no table; what is free cannot be freed.
// Would catch: a double free that hands one block to two requests later on.
TEST(BlockManager, FreeingTwiceBreaksAnInvariant) {
  BlockManager blocks(4, 1);
  BlockTable table;
  ASSERT_TRUE(blocks.grow(table, 2));
  BlockTable stale = table;
  blocks.release(table);
  EXPECT_THROW(blocks.release(stale), InvariantBroken);
}

// Behaviour 3 is deliberately different: vLLM lets one call name a block twice and counts it once,
// which its sliding windows need. No table of ours may hold a block twice.
// Would catch: such a table freeing more than it holds.
TEST(BlockManager, ABlockTwiceInATableBreaksAnInvariant) {
  BlockManager blocks(4, 1);
  const BlockTable table = take(blocks, 1);
  BlockTable corrupted{table[0], table[0]};
  EXPECT_THROW(blocks.release(corrupted), InvariantBroken);
}

// Behaviour 6: giving up, taking anew for the same request and giving up again. (Ours has no
// sliding window, so a table is given up as a whole.)
// Would catch: a block lost or doubled on its way through the free list, which sums may hide: in
// the end each block must come out once.
TEST(BlockManager, TakingAndGivingUpAgainKeepsEveryBlock) {
  BlockManager blocks(7, 1);
  BlockTable first, second;
  for (std::int64_t round = 0; round < 20; ++round) {
    ASSERT_TRUE(blocks.grow(first, 1 + round % 4));
    if (round % 3 == 0) blocks.release(second);
    ASSERT_TRUE(blocks.grow(second, std::min<std::int64_t>(1 + round % 3, blocks.free())));
    blocks.release(first);
  }
  blocks.release(second);
  BlockNumbers all = numbers(take(blocks, 7));
  std::sort(all.begin(), all.end());
  EXPECT_EQ(all, (BlockNumbers{0, 1, 2, 3, 4, 5, 6}));
}

// Would catch: sharing a block that is free, which its next owner would overwrite.
TEST(BlockManager, SharingAFreeBlockBreaksAnInvariant) {
  BlockManager blocks(4, 1);
  BlockTable table;
  ASSERT_TRUE(blocks.grow(table, 1));
  const BlockTable stale = table;
  blocks.release(table);
  EXPECT_THROW(blocks.fork(stale), InvariantBroken);
}

// Would catch: an audit that looks only at sums; a lost, a doubled and a foreign block all keep
// some sum right.
TEST(BlockManager, TheAuditFindsACorruptedTable) {
  BlockManager blocks(8, 1);
  BlockTable first, second;
  ASSERT_TRUE(blocks.grow(first, 2));
  ASSERT_TRUE(blocks.grow(second, 2));
  const BlockTable* tables[] = {&first, &second};
  EXPECT_NO_THROW(blocks.audit(tables));

  const BlockTable good = first;
  first.pop_back();
  EXPECT_THROW(blocks.audit(tables), InvariantBroken) << "a block that nobody has";
  first = {good[0], good[0]};
  EXPECT_THROW(blocks.audit(tables), InvariantBroken) << "a block twice in a table";
  first = {good[0], second[0]};
  EXPECT_THROW(blocks.audit(tables), InvariantBroken) << "a block of another's";
  first = good;
  EXPECT_NO_THROW(blocks.audit(tables));
}

// Would catch: blocks without tokens let through to divide by zero later. A pool without blocks (a
// host without room) only never grants any.
TEST(BlockManager, BlocksWithoutTokensBreakAnInvariant) {
  EXPECT_THROW(BlockManager(-1, 16), InvariantBroken);
  EXPECT_THROW(BlockManager(16, 0), InvariantBroken);
  BlockManager none(0, 16);
  BlockTable table;
  EXPECT_FALSE(none.grow(table, 1));
}

/// The most memory that this process ever had, in KiB.
long peak_memory_kib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

// Would catch: bookkeeping that is set up for the whole pool: at four bytes a block it would take
// 1.6 GB here.
TEST(BlockManager, ALargePoolCostsNoMemoryUntilItIsUsed) {
  const long before_kib = peak_memory_kib();
  BlockManager blocks(400'000'000, 16);
  BlockTable table;
  EXPECT_TRUE(blocks.grow(table, 1000));
  EXPECT_EQ(blocks.free(), 400'000'000 - 1000);
  EXPECT_LT(index(table.back()), 1000u) << "blocks are numbered as they are used";
  EXPECT_LT(peak_memory_kib() - before_kib, 64 * 1024);
}

}  // namespace
}  // namespace tokenyard
