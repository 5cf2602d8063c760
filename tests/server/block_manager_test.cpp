#include "sim/server/block_manager.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <set>

#include "sim/kernel/invariant.hpp"

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

// Would catch: a double free that hands one block to two requests later on.
TEST(BlockManager, FreeingTwiceBreaksAnInvariant) {
  BlockManager blocks(4, 1);
  BlockTable table;
  ASSERT_TRUE(blocks.grow(table, 2));
  BlockTable stale = table;
  blocks.release(table);
  EXPECT_THROW(blocks.release(stale), InvariantBroken);
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

// Would catch: blocks lost, given to two owners, freed early or late in any history of growing,
// sharing and releasing. The model is the definition: who has which block, counted from scratch.
RC_GTEST_PROP(BlockManager, AgreesWithCountingFromScratchInEveryHistory, ()) {
  const auto total = *rc::gen::inRange<std::int64_t>(1, 24);
  BlockManager blocks(total, 4);
  std::vector<BlockTable> tables(5);
  const auto steps = *rc::gen::inRange(1, 60);
  for (int step = 0; step < steps; ++step) {
    BlockTable& table = tables[*rc::gen::inRange<std::size_t>(0, tables.size())];
    const auto action = *rc::gen::inRange(0, 4);
    if (action <= 1) {
      const auto wanted = *rc::gen::inRange<std::int64_t>(0, 14);
      const BlockTable before = table;
      const std::int64_t missing = wanted - static_cast<std::int64_t>(table.size());
      const bool possible = missing <= blocks.free();
      RC_ASSERT(blocks.grow(table, wanted) == possible);
      const bool grows = possible && missing > 0;
      RC_ASSERT(table.size() == (grows ? static_cast<std::size_t>(wanted) : before.size()));
      RC_ASSERT(std::equal(before.begin(), before.end(), table.begin()));
    } else if (action == 2) {
      BlockTable& target = tables[*rc::gen::inRange<std::size_t>(0, tables.size())];
      if (target.empty()) target = blocks.fork(table);
    } else {
      blocks.release(table);
      RC_ASSERT(table.empty());
    }
    std::set<BlockId> in_use;
    std::vector<const BlockTable*> views;
    for (const BlockTable& each : tables) {
      in_use.insert(each.begin(), each.end());
      RC_ASSERT(std::set<BlockId>(each.begin(), each.end()).size() == each.size());
      views.push_back(&each);
    }
    const auto used = static_cast<std::int64_t>(in_use.size());
    RC_ASSERT((in_use.empty() || static_cast<std::int64_t>(index(*in_use.rbegin())) < total));
    RC_ASSERT(blocks.held() == used);
    RC_ASSERT(blocks.free() == total - used);
    blocks.audit(views);
  }
}

// Would catch: blocks that are free while a copy still reads them, or never again; and blocks that
// another table still needs being drained.
TEST(BlockManager, DrainingBlocksAreNobodysUntilTheirCopyHasEnded) {
  BlockManager blocks(4, 16);
  BlockTable table;
  ASSERT_TRUE(blocks.grow(table, 3));
  blocks.start_draining(table);
  EXPECT_EQ(blocks.held(), 0);
  EXPECT_EQ(blocks.draining(), 3);
  EXPECT_EQ(blocks.free(), 1);
  BlockTable other;
  EXPECT_FALSE(blocks.grow(other, 2));
  const BlockTable* tables[] = {&table};
  blocks.audit(tables);
  blocks.finish_draining(table);
  EXPECT_TRUE(table.empty());
  EXPECT_EQ(blocks.free(), 4);
  ASSERT_TRUE(blocks.grow(other, 2));
  BlockTable shared = blocks.fork(other);
  blocks.start_draining(other);
  EXPECT_EQ(blocks.held(), 2);  // the other table still holds them
  blocks.finish_draining(other);
  EXPECT_EQ(blocks.held(), 2);
  blocks.release(shared);
  EXPECT_EQ(blocks.free(), 4);
}

}  // namespace
}  // namespace tokenyard
