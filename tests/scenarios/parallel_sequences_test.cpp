// Requests of several sequences: parallel samples and beams that share what they can, in blocks of
// four tokens or of one; 10 ms an iteration. An executor watches the contents.

#include <gtest/gtest.h>

#include <set>

#include "tests/scenarios/scenario.hpp"
#include "tests/support/content_executor.hpp"

namespace tokenyard::test {
namespace {

ServerSettings blocks_of(std::int64_t block_size, std::int64_t blocks) {
  ServerSettings settings;
  settings.kv.block_size = block_size;
  settings.kv.device_blocks = blocks;
  return settings;
}

Outcome watched(const std::vector<Job>& jobs, const ServerSettings& settings,
                ContentOptions options = {}) {
  static const IntegerCost cost({.iteration = 10ms, .copy_block = 2ms});
  return simulate(jobs, "fcfs", cost, settings, true, nullptr,
                  checking_content(jobs, settings, std::move(options)));
}

std::vector<std::int64_t> blocks_used(const Outcome& run) {
  std::vector<std::int64_t> blocks;
  for (const Decision& decision : run.decisions) blocks.push_back(decision.kv_blocks_used);
  return blocks;
}

std::vector<std::size_t> copies(const Outcome& run) {
  std::vector<std::size_t> counts;
  for (const Decision& decision : run.decisions) counts.push_back(decision.block_copies.size());
  return counts;
}

using Blocks = std::vector<std::int64_t>;
using Counts = std::vector<std::size_t>;

// Would catch: a prompt that is computed or stored once a sample, a first token that does not come
// from the one prefill, or samples that do not step together.
TEST(ParallelSamples, GivenThreeThenThePromptIsComputedOnceAndAllStepTogether) {
  const Outcome run = watched({{.prompt_tokens = 8, .sample_tokens = {3, 3, 3}}}, blocks_of(4, 12));
  EXPECT_EQ(plan(run), (Lines{"0: 0+8 0+0 0+0", "10: 0+1 0+1 0+1", "20: 0+1 0+1 0+1"}));
  EXPECT_EQ(run.decisions[0].load, IterationLoad::one_prefill(8, 8));
  EXPECT_EQ(blocks_used(run), (Blocks{2, 5, 5})) << "the prompt, then a block of their own each";
  EXPECT_EQ(copies(run), (Counts{0, 0, 0})) << "nobody writes into a full block";
  EXPECT_EQ(run.requests[0].sequence_tokens, 9);
}

// Would catch: a write into a block that others read, a copy too many (the last may write in
// place), a copy made twice, or from and to the wrong block.
TEST(ParallelSamples, GivenAPromptThatEndsWithinABlockThenAllButTheLastCopyIt) {
  const Outcome run = watched({{.prompt_tokens = 6, .sample_tokens = {3, 3, 3}}}, blocks_of(4, 12));
  EXPECT_EQ(blocks_used(run), (Blocks{2, 4, 4}));
  EXPECT_EQ(copies(run), (Counts{0, 2, 0}));
  const Decision& shared = run.decisions[0];
  const Decision& parted = run.decisions[1];
  std::set<BlockId> last_blocks;
  for (const BlockTable& table : parted.tables) {
    EXPECT_EQ(table[0], shared.tables[0][0]) << "the full block of the prompt";
    last_blocks.insert(table[1]);
  }
  EXPECT_EQ(last_blocks.size(), 3u);
  EXPECT_EQ(last_blocks.count(shared.tables[0][1]), 1u);
  for (const BlockCopy& copy : parted.block_copies) {
    EXPECT_EQ(copy.from, shared.tables[0][1]);
    EXPECT_NE(copy.from, copy.to);
    EXPECT_EQ(last_blocks.count(copy.to), 1u);
  }
  EXPECT_EQ(parted.load.copied_blocks, 2);
}

// Would catch: a sample that stays in the batch, or keeps its blocks or its place, after its end:
// request 1 takes the place of the first that ends.
TEST(ParallelSamples, GivenOneEndsThenItsBlocksAndItsPlaceAreFreeAtOnce) {
  ServerSettings settings = blocks_of(1, 30);
  settings.limits.max_num_seqs = 3;
  const Outcome run = watched(
      {{.prompt_tokens = 4, .sample_tokens = {1, 4, 2}}, {.prompt_tokens = 2, .output_tokens = 2}},
      settings);
  EXPECT_EQ(plan(run), (Lines{"0: 0+4 0+0 0+0", "10: 0+1 0+1 1+2", "20: 0+1 1+1", "30: 0+1"}));
  EXPECT_EQ(run.decisions[2].sequences[0], 1) << "the second sample is the longest";
  EXPECT_EQ(blocks_used(run), (Blocks{4, 4 + 2 + 2, 4 + 2 + 3, 4 + 3}));
  EXPECT_EQ(run.requests[0].output_tokens, 4);
  EXPECT_EQ(run.requests[0].sequence_tokens, 7);
}

/// After the second token all beams go on from beam 2, after that each from itself.
std::int32_t from_the_last(const Slot& slot) {
  return slot.generated == 1 ? 2 : slot.sequence;
}

// Would catch: beams that die and keep their blocks, or that live on with tokens of their own
// instead of those of their parent.
TEST(Beams, GivenAllGoOnFromOneThenTheOthersBlocksAreFreeAndItsAreShared) {
  const std::vector<Job> jobs = {{.prompt_tokens = 4, .output_tokens = 4, .beams = 3}};
  Histories histories;
  const Outcome run =
      watched(jobs, blocks_of(1, 30), {.parent = from_the_last, .histories = &histories});
  EXPECT_EQ(blocks_used(run), (Blocks{4, 4 + 3, 4 + 1 + 3, 4 + 1 + 6}));
  EXPECT_EQ(run.decisions[2].facts.kv_blocks_shared, 4 + 1);
  EXPECT_EQ(copies(run), (Counts{0, 0, 0, 0})) << "in blocks of one token there is nothing to copy";
  const History& winner = histories.at({0, 2});
  for (const std::int32_t beam : {0, 1}) {
    const History& other = histories.at({0, beam});
    ASSERT_EQ(other.size(), 8u);
    EXPECT_EQ(other[4], winner[4]) << "the first token is the winner's";
    EXPECT_NE(other[5], winner[5]) << "the second is its own";
  }
}

// Would catch: beams that write into the block in which they fork.
TEST(Beams, GivenAForkWithinABlockThenAllButTheLastCopyIt) {
  const std::vector<Job> jobs = {{.prompt_tokens = 4, .output_tokens = 4, .beams = 3}};
  const Outcome run = watched(jobs, blocks_of(4, 12), {.parent = from_the_last});
  EXPECT_EQ(blocks_used(run), (Blocks{1, 1 + 3, 1 + 3, 1 + 3}));
  EXPECT_EQ(copies(run), (Counts{0, 0, 2, 0}));
}

/// In 16 blocks: at 10 they use 9 and 4 + 3. At 20 the three samples of 1 have to give way to 0.
std::vector<Job> growing_beside_three() {
  return {{.prompt_tokens = 8, .output_tokens = 4},
          {.prompt_tokens = 4, .sample_tokens = {4, 4, 4}}};
}

// Would catch: a wide request of which only a part is evicted, or comes back: all three leave at 20
// and return together, when one iteration computes the prompt (4) and each its own two tokens.
TEST(WideEviction, GivenRecomputationThenAllSequencesLeaveAndReturnAsOne) {
  const Outcome run = watched(growing_beside_three(), blocks_of(1, 16));
  EXPECT_EQ(plan(run), (Lines{"0: 0+8 1+4 1+0 1+0", "10: 0+1 1+1 1+1 1+1", "20: 0+1", "30: 0+1",
                              "40: 1+6 1+2 1+2", "50: 1+1 1+1 1+1"}));
  EXPECT_EQ(run.decisions[2].kv_blocks_used, 10) << "nothing of request 1 is left";
  EXPECT_EQ(run.requests[1].recomputed_tokens, 4 + 3);
  EXPECT_EQ(run.requests[1].preemptions, 1);
  EXPECT_EQ(run.requests[1].sequence_tokens, 12);
}

// Would catch: shared blocks copied once for each sequence, or no longer shared when they are back.
// Seven blocks (the prompt once, a token each) go out in 14 ms and come back in 14 ms.
TEST(WideEviction, GivenSwappingThenTheSharedIsCopiedOnceAndSharedAgain) {
  ServerSettings settings = blocks_of(1, 16);
  settings.kv.evict = Evict::swap;
  settings.kv.host_blocks = 7;
  const Outcome run = watched(growing_beside_three(), settings);
  EXPECT_EQ(plan(run), (Lines{"0: 0+8 1+4 1+0 1+0", "10: 0+1 1+1 1+1 1+1", "34: 0+1", "44: 0+1",
                              "68: 1+1 1+1 1+1", "78: 1+1 1+1 1+1"}));
  EXPECT_EQ(run.requests[1].recomputed_tokens, 0);
  EXPECT_EQ(run.requests[1].swaps_out, 1);
  EXPECT_EQ(run.requests[1].swaps_in, 1);
  EXPECT_EQ(run.decisions[4].kv_blocks_used, 4 + 2 * 3);
  EXPECT_EQ(run.decisions[4].facts.kv_blocks_shared, 4);
}

// Would catch: the same for beams of which several go on from one: what they share beyond the
// prompt is shared again, and the first write to it makes copies as ever. They say what they would
// without ever leaving.
TEST(WideEviction, GivenBeamsThatShareOutputsThenTheyShareThemAgainWhenBack) {
  const std::vector<Job> jobs = {{.prompt_tokens = 36, .output_tokens = 20},
                                 {.prompt_tokens = 4, .output_tokens = 20, .beams = 3}};
  const auto parent = [](const Slot& slot) { return slot.generated % 4 == 1 ? 1 : slot.sequence; };
  ServerSettings settings = blocks_of(4, 16);
  settings.kv.evict = Evict::swap;
  settings.kv.host_blocks = 16;
  Histories crowded, ample;
  const Outcome run = watched(jobs, settings, {.parent = parent, .histories = &crowded});
  watched(jobs, blocks_of(4, 100), {.parent = parent, .histories = &ample});
  EXPECT_GE(run.requests[1].swaps_out, 1);
  EXPECT_EQ(run.requests[1].swaps_in, run.requests[1].swaps_out);
  EXPECT_EQ(run.requests[1].recomputed_tokens, 0);
  EXPECT_TRUE(crowded == ample);
}

}  // namespace
}  // namespace tokenyard::test
