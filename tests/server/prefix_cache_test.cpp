// Blocks found again by their content, as a request meets them. The order in which contents are
// forgotten stands in eviction_order_test.cpp.

#include <gtest/gtest.h>

#include "sim/kernel/invariant.hpp"
#include "sim/server/block_manager.hpp"
#include "tests/server/block_fixtures.hpp"

namespace tokenyard {
namespace {

// Behaviour 7 of vLLM's tests: a second request with a common prefix gets the same full blocks and
// takes only the rest anew. The partly filled block is never shared by content: nobody names it.
// Would catch: a hit that copies, a share that is not counted, a whole prompt taken anew.
TEST(PrefixCache, ACommonPrefixIsSharedAndOnlyTheRestIsTaken) {
  BlockManager blocks(10, 16);
  const auto contents = prompt_contents(1, 3);
  BlockTable first = compute(blocks, contents);
  ASSERT_TRUE(blocks.grow(first, 4));  // the end of the prompt, partly filled

  std::vector<BlockId> found;
  blocks.find_prefix(contents, found);
  ASSERT_EQ(numbers(found), (BlockNumbers{0, 1, 2}));
  EXPECT_EQ(blocks.held(), 4) << "looking up takes nothing";
  BlockTable second;
  ASSERT_TRUE(blocks.start(second, found, 4));
  EXPECT_EQ(numbers(second), (BlockNumbers{0, 1, 2, 4}));
  EXPECT_EQ(blocks.held(), 5);
  EXPECT_EQ(blocks.shared(), 3);
  EXPECT_EQ(blocks.saved(), 3);
}

// Behaviour 8: hits after the owner has gone.
// Would catch: contents that die with their owner; blocks taken back that stay in the free list
// too, where the next request would get them a second time.
TEST(PrefixCache, AFreedPrefixIsTakenBackOutOfTheFreeBlocks) {
  BlockManager blocks(4, 16);
  const auto contents = prompt_contents(1, 2);
  BlockTable first = compute(blocks, contents);
  blocks.release(first);
  EXPECT_EQ(blocks.free(), 4);
  EXPECT_EQ(blocks.cached(), 2);

  std::vector<BlockId> found;
  blocks.find_prefix(contents, found);
  EXPECT_EQ(blocks.count_free(found), 2);
  BlockTable second;
  ASSERT_TRUE(blocks.start(second, found, 2));
  EXPECT_EQ(numbers(second), (BlockNumbers{0, 1}));
  EXPECT_EQ(blocks.cached(), 0);
  EXPECT_EQ(blocks.free(), 2);
  EXPECT_EQ(numbers(take(blocks, 2)), (BlockNumbers{2, 3}));
}

// Would catch: a prefix that goes on behind a gap: what follows an unknown block is of no use.
TEST(PrefixCache, APrefixEndsAtItsFirstUnknownBlock) {
  BlockManager blocks(8, 16);
  const auto contents = prompt_contents(1, 3);
  const BlockTable table = take(blocks, 3);
  blocks.seal(table[0], contents[0]);
  blocks.seal(table[2], contents[2]);
  std::vector<BlockId> found{BlockId{7}};
  blocks.find_prefix(contents, found);
  EXPECT_EQ(numbers(found), (BlockNumbers{0})) << "what was found before is emptied";
  blocks.seal(table[1], contents[1]);
  EXPECT_EQ(look_up(blocks, contents), (BlockNumbers{0, 1, 2}));
  EXPECT_EQ(look_up(blocks, prompt_contents(2, 3)), BlockNumbers{});
}

// Behaviour 10: blocks just found are not the victims for the same request's new blocks.
// Would catch: new blocks taken before the found ones were: the oldest content goes first, and that
// is the found one here.
TEST(PrefixCache, FoundBlocksAreNotTakenForTheSameRequestsNewBlocks) {
  BlockManager blocks(4, 16);
  const auto older = prompt_contents(1, 2);
  BlockTable first = compute(blocks, older);
  BlockTable second = compute(blocks, prompt_contents(2, 2));
  blocks.release(first);
  blocks.release(second);
  std::vector<BlockId> found;
  blocks.find_prefix(older, found);
  BlockTable third;
  ASSERT_TRUE(blocks.start(third, found, 4));
  EXPECT_EQ(numbers(third), (BlockNumbers{0, 1, 3, 2}));
}

// Behaviour 11: an allocation that fails leaves the found blocks as they were, free or held.
// Would catch: references or places in the free list that a failed start changed; found blocks that
// are free counted as if they came on top of the free ones.
TEST(PrefixCache, AFailedStartChangesNothing) {
  BlockManager blocks(6, 16);
  const auto held = prompt_contents(1, 1);
  const auto freed = prompt_contents(2, 2);
  const BlockTable owner = compute(blocks, held);
  BlockTable gone = compute(blocks, freed);
  const BlockTable others = take(blocks, 2);
  blocks.release(gone);  // free: its two and one never used
  for (const auto& contents : {held, freed}) {
    std::vector<BlockId> found;
    blocks.find_prefix(contents, found);
    BlockTable table;
    EXPECT_FALSE(blocks.start(table, found, 5));
    EXPECT_TRUE(table.empty());
    EXPECT_EQ(blocks.free(), 3);
    EXPECT_EQ(blocks.held(), 3);
    EXPECT_EQ(blocks.shared(), 0);
    EXPECT_EQ(blocks.cached(), 2);
    EXPECT_EQ(look_up(blocks, contents), numbers(found));
  }
  const BlockTable* tables[] = {&owner, &others};
  blocks.audit(tables);
  EXPECT_EQ(numbers(take(blocks, 3)), (BlockNumbers{5, 2, 1}));
}

// Behaviour 17: two sequences fit when twice their need less what they share is in the pool.
// Would catch: shared blocks counted for each sequence, or not at all.
TEST(PrefixCache, TwoSequencesFitWhenTheyShareEnough) {
  constexpr std::int64_t kNeed = 4;
  for (std::size_t shared = 0; shared <= kNeed; ++shared) {
    for (std::int64_t pool = kNeed; pool <= 2 * kNeed; ++pool) {
      BlockManager blocks(pool, 16);
      BlockTable first = take(blocks, kNeed);
      const auto contents = prompt_contents(1, shared);
      seal(blocks, first, contents);
      std::vector<BlockId> found;
      blocks.find_prefix(contents, found);
      BlockTable second;
      const bool fits = 2 * kNeed - static_cast<std::int64_t>(shared) <= pool;
      EXPECT_EQ(blocks.start(second, found, kNeed), fits) << shared << " shared of " << pool;
      EXPECT_EQ(blocks.saved(), fits ? static_cast<std::int64_t>(shared) : 0);
    }
  }
}

// Behaviour 13: with prefix caching off nobody names a content.
// Would catch: blocks taken for one another without a name, and a pool that does not fill.
TEST(PrefixCache, WithoutNamesNothingIsFoundOrShared) {
  BlockManager blocks(4, 16);
  const auto contents = prompt_contents(1, 2);
  BlockTable first = take(blocks, 2);
  EXPECT_EQ(look_up(blocks, contents), BlockNumbers{});
  BlockTable second;
  ASSERT_TRUE(blocks.start(second, {}, 2));
  EXPECT_EQ(blocks.shared(), 0);
  BlockTable third;
  EXPECT_FALSE(blocks.start(third, {}, 1));
  blocks.release(first);
  EXPECT_EQ(blocks.cached(), 0);
  EXPECT_EQ(look_up(blocks, contents), BlockNumbers{});
}

// Behaviour 15: decoding within a block takes none, crossing its edge takes one, and only the block
// that just filled is named. Deliberately different: vLLM names a block when it is scheduled; ours
// when it was computed, so that nobody finds what an iteration in flight has yet to write.
// Would catch: a block taken a token too early or late, and a name that takes blocks or spreads.
TEST(PrefixCache, DecodingTakesABlockAtTheEdgeAndNamesTheFullOne) {
  BlockManager blocks(4, 4);
  const auto contents = prompt_contents(1, 2);
  BlockTable table;
  for (std::int64_t tokens = 1; tokens <= 9; ++tokens) {
    ASSERT_TRUE(blocks.grow(table, blocks.blocks_for(tokens)));
    EXPECT_EQ(blocks.held(), tokens <= 4 ? 1 : tokens <= 8 ? 2 : 3);
    const std::int64_t full = tokens / 4;
    if (tokens % 4 == 0) {
      const auto filled = static_cast<std::size_t>(full - 1);
      blocks.seal(table[filled], contents[filled]);
    }
    EXPECT_EQ(static_cast<std::int64_t>(look_up(blocks, contents).size()), full);
  }
}

// Behaviour 12: a content's name covers all that comes before it, and tenants are kept apart (vLLM:
// a salt in the first block).
// Would catch: a name that covers its own block only, so that equal blocks in other places are
// found; one tenant reading what another asked.
TEST(PrefixCache, OnlyEqualPrefixesOfOneTenantMeet) {
  BlockManager blocks(8, 16);
  const auto named = [](TenantId tenant, std::initializer_list<std::uint64_t> tokens) {
    std::vector<BlockHash> contents;
    BlockHash hash = chain_of(tenant);
    for (const std::uint64_t token : tokens) contents.push_back(hash = chain(hash, token));
    return contents;
  };
  const TenantId one{1}, other{2};
  const BlockTable table = compute(blocks, named(one, {7, 8, 9}));
  EXPECT_EQ(look_up(blocks, named(one, {7, 8, 9, 10})), (BlockNumbers{0, 1, 2}));
  EXPECT_EQ(look_up(blocks, named(one, {7, 8, 10})), (BlockNumbers{0, 1}));
  EXPECT_EQ(look_up(blocks, named(one, {8, 9})), BlockNumbers{});
  EXPECT_EQ(look_up(blocks, named(one, {7, 9})), (BlockNumbers{0}));
  EXPECT_EQ(look_up(blocks, named(other, {7, 8, 9})), BlockNumbers{});
}

// Would catch: a name for what has none, by which all such blocks would be taken for one another.
TEST(PrefixCache, NoHashNamesNothing) {
  BlockManager blocks(4, 16);
  BlockTable table = take(blocks, 2);
  const std::vector<BlockHash> unknown{kNoHash};
  blocks.seal(table[0], kNoHash);
  blocks.seal(table[0], kNoHash);
  EXPECT_EQ(look_up(blocks, unknown), BlockNumbers{});
  const auto contents = prompt_contents(1, 1);
  blocks.seal(table[0], contents[0]);
  blocks.seal(table[0], kNoHash);
  EXPECT_EQ(look_up(blocks, contents), (BlockNumbers{0})) << "its name stays";
}

// Would catch: a full block that changes its content, and a name given to a block that is free,
// which its next owner overwrites; naming twice alike is harmless.
TEST(PrefixCache, ANameIsGivenOnceAndToABlockInUse) {
  BlockManager blocks(4, 16);
  const auto contents = prompt_contents(1, 2);
  BlockTable table = take(blocks, 1);
  blocks.seal(table[0], contents[0]);
  blocks.seal(table[0], contents[0]);
  EXPECT_THROW(blocks.seal(table[0], contents[1]), InvariantBroken);
  const BlockId freed = table[0];
  blocks.release(table);
  EXPECT_EQ(blocks.cached(), 1);
  EXPECT_THROW(blocks.seal(freed, contents[0]), InvariantBroken);
}

// Would catch: a second set of blocks put into a table that has some, whose references would be
// lost.
TEST(PrefixCache, StartingATableTwiceBreaksAnInvariant) {
  BlockManager blocks(4, 16);
  BlockTable table = take(blocks, 1);
  EXPECT_THROW(blocks.start(table, {}, 2), InvariantBroken);
}

// Behaviour 14: forgetting all contents is refused while a block is in use, and complete after.
// Would catch: a name forgotten under a running request; one that survives; free blocks lost.
TEST(PrefixCache, AllIsForgottenOnlyWhenNoBlockIsInUse) {
  BlockManager blocks(6, 16);
  const auto kept = prompt_contents(1, 2);
  const auto gone = prompt_contents(2, 2);
  BlockTable held = compute(blocks, kept);
  BlockTable freed = compute(blocks, gone);
  blocks.release(freed);
  EXPECT_FALSE(blocks.forget_contents());
  EXPECT_EQ(look_up(blocks, kept), (BlockNumbers{0, 1}));
  EXPECT_EQ(look_up(blocks, gone), (BlockNumbers{2, 3}));
  blocks.start_draining(held);
  EXPECT_FALSE(blocks.forget_contents()) << "a copy still reads them";
  blocks.finish_draining(held);
  EXPECT_TRUE(blocks.forget_contents());
  EXPECT_EQ(blocks.cached(), 0);
  EXPECT_EQ(look_up(blocks, kept), BlockNumbers{});
  EXPECT_EQ(look_up(blocks, gone), BlockNumbers{});
  EXPECT_EQ(take(blocks, 6).size(), 6u);
}

}  // namespace
}  // namespace tokenyard
