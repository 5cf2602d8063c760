// What the KV blocks take from the heap once a pool has been used: nothing. The global operator new
// of this test program counts, for each thread.

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <new>

#include "sim/server/block_manager.hpp"
#include "tests/server/block_fixtures.hpp"

namespace {

thread_local std::size_t allocations = 0;

void* allocate(std::size_t bytes, std::size_t alignment) {
  ++allocations;
  const std::size_t rounded = (std::max<std::size_t>(bytes, 1) + alignment - 1) / alignment;
  void* memory = std::aligned_alloc(alignment, rounded * alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

// The other forms of new and delete come down to these.
void* operator new(std::size_t bytes) {
  return allocate(bytes, alignof(std::max_align_t));
}
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return allocate(bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}

namespace tokenyard {
namespace {

/// A pool whose requests come and go with everything that is done to blocks. Tables and lists keep
/// their memory from round to round.
struct Rounds {
  void round() {
    for (BlockHash& content : contents) content = chain(content, 1);  // prompts never seen
    blocks.grow(table, 40);
    seal(blocks, table, contents);
    blocks.find_prefix(contents, found);
    blocks.start(second, found, 36);
    blocks.make_writable(second, 3);
    blocks.grow(second, 37);
    blocks.begin_tally();
    blocks.tally(table);
    blocks.tally(second);
    blocks.start_draining(table);
    blocks.finish_draining(table);
    blocks.release(second);
  }

  BlockManager blocks{100, 16};
  std::vector<BlockHash> contents = prompt_contents(1, 32);
  std::vector<BlockId> found;
  BlockTable table, second;
};

// Would catch: a node, a list or a table's growth taken from the heap for each block or content,
// which would make a run's speed the allocator's.
TEST(BlockHeap, AUsedPoolTakesNothingFromTheHeap) {
  Rounds rounds;
  for (int warm_up = 0; warm_up < 10; ++warm_up) rounds.round();
  ASSERT_EQ(rounds.blocks.free(), 100);
  ASSERT_GT(rounds.blocks.cached(), 100 - 40) << "each round must make it forget some contents";
  const std::size_t before = allocations;
  for (int i = 0; i < 100; ++i) rounds.round();
  rounds.blocks.forget_contents();
  rounds.round();
  EXPECT_EQ(allocations - before, 0u);
}

// Would catch: a count that sees nothing: a new pool does take memory.
TEST(BlockHeap, TheCountSeesAllocations) {
  std::size_t before = allocations;
  const auto one = std::make_unique<int>(1);
  EXPECT_EQ(allocations - before, 1u);
  before = allocations;
  Rounds rounds;
  rounds.round();
  EXPECT_GT(allocations - before, 0u);
}

}  // namespace
}  // namespace tokenyard
