#include "engine/kernels/huge_buffer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <new>
#include <utility>

namespace tokenyard {
namespace {

// Would catch: memory that is too small, or that begins within a cache line or a huge page, so that
// the system cannot use one there.
TEST(HugeBuffer, IsWholeAndAligned) {
  constexpr std::size_t kHugePage = 2 << 20;
  for (const std::size_t bytes : {std::size_t{1}, std::size_t{100}, kHugePage, 3 * kHugePage + 1}) {
    const HugeBuffer buffer(bytes);
    EXPECT_EQ(buffer.bytes(), bytes);
    const std::size_t unit = bytes < kHugePage ? 64 : kHugePage;
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer.data()) % unit, 0U) << bytes;
    std::fill_n(buffer.data(), bytes, std::byte{1});
  }
  EXPECT_EQ(HugeBuffer(0).data(), nullptr);
}

// Would catch: a size that wraps around when it is rounded up, and is granted.
TEST(HugeBuffer, RefusesASizeThatWrapsAround) {
  EXPECT_THROW(HugeBuffer(SIZE_MAX), std::bad_alloc);
}

// Would catch: memory that two buffers free, or a size that is lost on the way.
TEST(HugeBuffer, MovesItsMemory) {
  HugeBuffer from(1000);
  const std::byte* memory = from.data();
  const HugeBuffer to = std::move(from);
  EXPECT_EQ(to.data(), memory);
  EXPECT_EQ(to.bytes(), 1000U);
}

}  // namespace
}  // namespace tokenyard
