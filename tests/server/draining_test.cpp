// Blocks that a copy to the host still reads: neither held nor free until it has ended.

#include <gtest/gtest.h>

#include "sim/kernel/invariant.hpp"
#include "sim/server/block_manager.hpp"
#include "tests/server/block_fixtures.hpp"

namespace tokenyard {
namespace {

// Would catch: blocks that are free while a copy still reads them, or never again.
TEST(Draining, BlocksAreNobodysUntilTheirCopyHasEnded) {
  BlockManager blocks(4, 16);
  BlockTable table = take(blocks, 3);
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
  EXPECT_EQ(blocks.draining(), 0);
  EXPECT_EQ(blocks.free(), 4);
}

// Behaviour 32 of vLLM's tests: a swap out takes one host block for each device block, in order,
// and moves the counts one for one; the swap in restores them. Here the tables are the map: the
// i-th block of one goes to the i-th of the other.
// Would catch: a count that moves before its copy has ended, or by another number of blocks.
TEST(Draining, ASwapMovesTheCountsOneForOne) {
  BlockManager device(8, 16);
  BlockManager host(8, 16);
  BlockTable on_device = take(device, 3);
  BlockTable on_host;
  ASSERT_TRUE(host.grow(on_host, 3));
  EXPECT_EQ(on_host.size(), on_device.size());
  device.start_draining(on_device);
  EXPECT_EQ(numbers(on_device), (BlockNumbers{0, 1, 2})) << "the copy reads them in order";
  device.finish_draining(on_device);
  EXPECT_EQ(device.free(), 8);
  EXPECT_EQ(host.held(), 3);

  ASSERT_TRUE(device.grow(on_device, 3));
  host.release(on_host);
  EXPECT_EQ(device.held(), 3);
  EXPECT_EQ(host.free(), 8);
}

// Behaviour 33: coming back is possible now, later or never, the blocks of the next step counted
// in.
// Would catch: draining blocks that count as free, or as lost for ever.
TEST(Draining, ComingBackIsPossibleNowLaterOrNever) {
  BlockManager device(6, 16);
  constexpr std::int64_t kOnHost = 3, kNextStep = 1;
  BlockTable other = take(device, 3);
  EXPECT_EQ(device.can_allocate(kOnHost + kNextStep), Allocation::later) << "others hold them";
  device.start_draining(other);
  EXPECT_EQ(device.can_allocate(kOnHost + kNextStep), Allocation::later) << "a copy reads them";
  device.finish_draining(other);
  EXPECT_EQ(device.can_allocate(kOnHost + kNextStep), Allocation::now);
  EXPECT_EQ(device.can_allocate(6 + kNextStep), Allocation::never);
}

// Behaviour 35, of the host tier: a store that finds no room changes nothing, and blocks that are
// being stored or loaded are not taken. Deliberately different: our host pool names no contents,
// so nothing on the host can be found before it is complete, and there is no order of eviction;
// a block there lives exactly as long as its table.
// Would catch: a failed store that takes some blocks, or makes room at another's cost.
TEST(Draining, AStoreWithoutRoomChangesNothing) {
  BlockManager host(4, 16);
  BlockTable older = take(host, 3);
  BlockTable on_host;
  EXPECT_FALSE(host.grow(on_host, 2));
  EXPECT_TRUE(on_host.empty());
  EXPECT_EQ(numbers(older), (BlockNumbers{0, 1, 2}));
  EXPECT_EQ(host.held(), 3);
  EXPECT_EQ(host.free(), 1);
}

// Would catch: a block that another table still holds being drained, or freed with the copy's end.
TEST(Draining, WhatAnotherTableHoldsStaysHeld) {
  BlockManager blocks(4, 16);
  BlockTable table = take(blocks, 2);
  BlockTable other = blocks.fork(table, 1);
  blocks.start_draining(table);
  EXPECT_EQ(blocks.held(), 1);
  EXPECT_EQ(blocks.draining(), 1);
  EXPECT_EQ(blocks.shared(), 0) << "a copy is not a table";
  EXPECT_EQ(blocks.saved(), 0);
  blocks.finish_draining(table);
  EXPECT_EQ(blocks.held(), 1);
  EXPECT_EQ(blocks.free(), 3);
  blocks.release(other);
  EXPECT_EQ(blocks.free(), 4);
}

// Would catch: a shared block that its other table gives up while the copy reads it becoming free
// too early.
TEST(Draining, ABlockDrainsOnceItsLastTableIsGone) {
  BlockManager blocks(4, 16);
  BlockTable table = take(blocks, 2);
  BlockTable other = blocks.fork(table);
  blocks.start_draining(table);
  blocks.release(other);
  EXPECT_EQ(blocks.held(), 0);
  EXPECT_EQ(blocks.draining(), 2);
  EXPECT_EQ(blocks.free(), 2);
  blocks.finish_draining(table);
  EXPECT_EQ(blocks.free(), 4);
}

// Would catch: a block that two copies read counted twice, or freed with the first of them.
TEST(Draining, TwoCopiesOfOneBlockDrainItOnce) {
  BlockManager blocks(4, 16);
  BlockTable first = take(blocks, 2);
  BlockTable second = blocks.fork(first);
  blocks.start_draining(first);
  blocks.start_draining(second);
  EXPECT_EQ(blocks.held(), 0);
  EXPECT_EQ(blocks.draining(), 2);
  EXPECT_EQ(blocks.saved(), 0);
  const BlockTable* tables[] = {&first, &second};
  blocks.audit(tables);
  blocks.finish_draining(first);
  EXPECT_EQ(blocks.draining(), 2);
  EXPECT_EQ(blocks.free(), 2);
  blocks.finish_draining(second);
  EXPECT_EQ(blocks.free(), 4);
}

// Would catch: a write into a block that a copy still reads: the host would get a mixture.
TEST(Draining, WhatACopyReadsIsNotWrittenInPlace) {
  BlockManager blocks(4, 16);
  BlockTable table = take(blocks, 1);
  BlockTable copied = blocks.fork(table);
  blocks.start_draining(copied);
  const auto copy = blocks.make_writable(table, 0);
  ASSERT_TRUE(copy);
  EXPECT_EQ(copy->from, copied[0]);
  EXPECT_EQ(numbers(table), (BlockNumbers{1}));
  EXPECT_EQ(blocks.held(), 1);
  EXPECT_EQ(blocks.draining(), 1);
}

// Would catch: a hit on a block that drains leaving it to be freed under its new owner, or taking
// it out of the free list, where it is not.
TEST(Draining, AFoundBlockThatDrainsIsHeldAgain) {
  BlockManager blocks(4, 16);
  const auto contents = prompt_contents(1, 2);
  BlockTable table = compute(blocks, contents);
  blocks.start_draining(table);
  std::vector<BlockId> found;
  blocks.find_prefix(contents, found);
  ASSERT_EQ(numbers(found), (BlockNumbers{0, 1}));
  EXPECT_EQ(blocks.count_free(found), 0);
  BlockTable second;
  ASSERT_TRUE(blocks.start(second, found, 3));
  EXPECT_EQ(numbers(second), (BlockNumbers{0, 1, 2}));
  EXPECT_EQ(blocks.held(), 3);
  EXPECT_EQ(blocks.draining(), 0);
  blocks.finish_draining(table);
  EXPECT_EQ(blocks.held(), 3);
  EXPECT_EQ(blocks.free(), 1);
}

// Would catch: contents lost with the copy's end: they are still right on the device.
TEST(Draining, DrainedContentsCanStillBeFound) {
  BlockManager blocks(4, 16);
  const auto contents = prompt_contents(1, 2);
  BlockTable table = compute(blocks, contents);
  blocks.start_draining(table);
  EXPECT_EQ(blocks.cached(), 0) << "they are not free";
  blocks.finish_draining(table);
  EXPECT_EQ(blocks.cached(), 2);
  EXPECT_EQ(look_up(blocks, contents), (BlockNumbers{0, 1}));
}

// Would catch: a copy that ends twice, ends without having begun, or begins twice for one table.
TEST(Draining, CopiesThatDoNotMatchBreakAnInvariant) {
  BlockManager blocks(4, 16);
  BlockTable never_begun = take(blocks, 1);
  EXPECT_THROW(blocks.finish_draining(never_begun), InvariantBroken);

  BlockManager others(4, 16);
  const BlockTable begun = take(others, 1);
  others.start_draining(begun);
  EXPECT_THROW(others.start_draining(begun), InvariantBroken);

  BlockManager last(4, 16);
  BlockTable ended = take(last, 1);
  BlockTable stale = ended;
  last.start_draining(ended);
  last.finish_draining(ended);
  EXPECT_THROW(last.finish_draining(stale), InvariantBroken);
}

}  // namespace
}  // namespace tokenyard
