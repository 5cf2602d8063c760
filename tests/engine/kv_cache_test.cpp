#include "engine/kv_cache.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <numeric>
#include <vector>

#include "sim/kernel/input_error.hpp"
#include "sim/kernel/invariant.hpp"

namespace tokenyard {
namespace {

constexpr KvShape kSmall{
    .layers = 2, .kv_heads = 3, .head_dim = 5, .block_tokens = 4, .element = ElementType::f32};

/// The element of a token in the cache, found by the layout that the header promises.
template <typename Element>
Element element_at(const KvCache& cache, BlockId block, std::int32_t layer, bool keys,
                   std::int32_t head, std::int64_t token, std::int64_t d) {
  const KvShape& shape = cache.shape();
  const std::int64_t place = keys ? d * shape.block_tokens + token : token * shape.head_dim + d;
  Element element;
  std::memcpy(&element,
              cache.device_data() + static_cast<std::int64_t>(index(block)) * shape.block_bytes() +
                  cache.offset(layer, keys, head) +
                  place * static_cast<std::int64_t>(sizeof element),
              sizeof element);
  return element;
}

/// Rows in which each number says where it belongs.
std::vector<float> numbered(std::int64_t count, float first) {
  std::vector<float> values(static_cast<std::size_t>(count));
  std::iota(values.begin(), values.end(), first);
  return values;
}

// Would catch: a token in a wrong block or place, keys that lie like values, layers or heads that
// overlap, rows read without their stride.
TEST(KvCache, KeepsEachTokenWhereItsTableSays) {
  KvCache cache(kSmall, 6, 0);
  const std::vector<BlockId> table{BlockId{4}, BlockId{0}, BlockId{5}};
  constexpr std::int64_t kStride = 20;  // longer than a row of 3 x 5
  constexpr std::int64_t kTokens = 7, kFirst = 3;
  for (std::int32_t layer = 0; layer < 2; ++layer) {
    const auto keys = numbered(kTokens * kStride, 1000.0F * static_cast<float>(layer));
    const auto values = numbered(kTokens * kStride, 1000.0F * static_cast<float>(layer) + 500);
    cache.write(layer, table, kFirst, kTokens, {keys.data(), values.data(), kStride});
  }
  for (std::int32_t layer = 0; layer < 2; ++layer) {
    for (std::int64_t token = 0; token < kTokens; ++token) {
      const BlockId block = table[static_cast<std::size_t>((kFirst + token) / 4)];
      const std::int64_t at = (kFirst + token) % 4;
      for (std::int32_t head = 0; head < 3; ++head) {
        for (std::int64_t d = 0; d < 5; ++d) {
          const float wanted = 1000.0F * static_cast<float>(layer) +
                               static_cast<float>(token * kStride + head * 5 + d);
          EXPECT_EQ(element_at<float>(cache, block, layer, true, head, at, d), wanted);
          EXPECT_EQ(element_at<float>(cache, block, layer, false, head, at, d), wanted + 500);
        }
      }
    }
  }
}

// Would catch: truncation instead of rounding, halves that go up instead of to even, an infinity or
// a NaN lost on the way.
TEST(KvCache, RoundsBf16ToNearestEven) {
  KvShape shape = kSmall;
  shape.kv_heads = 1;
  shape.head_dim = 7;
  shape.element = ElementType::bf16;
  KvCache cache(shape, 1, 0);
  const std::vector<BlockId> table{BlockId{0}};
  const auto bits = [](std::uint32_t word) { return std::bit_cast<float>(word); };
  const std::vector<float> row{bits(0x3f808000),  // halfway, even below
                               bits(0x3f818000),  // halfway, even above
                               bits(0x3f808001),
                               bits(0xbf807fff),
                               bits(0x7f7fffff),  // beyond the largest bf16
                               std::numeric_limits<float>::infinity(),
                               bits(0x7f800001)};  // NaN whose payload lies in what is cut off
  cache.write(1, table, 2, 1, {row.data(), row.data(), 7});
  const std::vector<std::uint16_t> wanted{0x3f80, 0x3f82, 0x3f81, 0xbf80, 0x7f80, 0x7f80};
  for (const bool keys : {true, false}) {
    for (std::size_t d = 0; d < wanted.size(); ++d) {
      EXPECT_EQ(
          element_at<std::uint16_t>(cache, BlockId{0}, 1, keys, 0, 2, static_cast<std::int64_t>(d)),
          wanted[d])
          << d;
    }
    const auto nan = element_at<std::uint16_t>(cache, BlockId{0}, 1, keys, 0, 2, 6);
    EXPECT_TRUE(std::isnan(bits(static_cast<std::uint32_t>(nan) << 16U)));
  }
}

// Would catch: a copy that leaves out layers, values or the end of a block, or that goes the wrong
// way.
TEST(KvCache, CopiesWholeBlocksBetweenPools) {
  KvCache cache(kSmall, 3, 2);
  const std::vector<BlockId> first{BlockId{0}}, all{BlockId{0}, BlockId{1}, BlockId{2}};
  const auto bytes_of = [&](std::uint32_t block) {
    const std::byte* begin = cache.device_data() + block * kSmall.block_bytes();
    return std::vector<std::byte>(begin, begin + kSmall.block_bytes());
  };
  const auto fill = [&](const std::vector<BlockId>& table, float number) {
    const auto rows = numbered(static_cast<std::int64_t>(table.size()) * 4 * 15, number);
    for (std::int32_t layer = 0; layer < 2; ++layer) {
      cache.write(layer, table, 0, static_cast<std::int64_t>(table.size()) * 4,
                  {rows.data(), rows.data(), 15});
    }
  };
  fill(all, 1);
  const auto zero = bytes_of(0), one = bytes_of(1), two = bytes_of(2);
  cache.copy_to_host(BlockId{0}, BlockId{1});
  cache.copy_on_device(BlockId{1}, BlockId{0});
  EXPECT_EQ(bytes_of(0), one);
  EXPECT_EQ(bytes_of(1), one);
  fill(first, 7000);
  cache.copy_to_device(BlockId{1}, BlockId{1});
  EXPECT_EQ(bytes_of(1), zero);
  EXPECT_EQ(bytes_of(2), two);
}

// Would catch: writes and copies outside the pools or the table, and shapes whose pages overlap.
TEST(KvCache, RefusesWhatIsOutOfRange) {
  KvCache cache(kSmall, 2, 1);
  const std::vector<BlockId> table{BlockId{1}}, beyond{BlockId{2}};
  const auto row = numbered(60, 0);
  const KvRows rows{row.data(), row.data(), 15};
  EXPECT_NO_THROW(cache.write(1, table, 0, 4, rows));
  EXPECT_NO_THROW(cache.write(1, table, 4, 0, rows));
  EXPECT_THROW(cache.write(2, table, 0, 1, rows), InvariantBroken);
  EXPECT_THROW(cache.write(-1, table, 0, 1, rows), InvariantBroken);
  EXPECT_THROW(cache.write(0, table, 3, 2, rows), InvariantBroken);
  EXPECT_THROW(cache.write(0, table, -1, 1, rows), InvariantBroken);
  EXPECT_THROW(cache.write(0, table, 1, std::numeric_limits<std::int64_t>::max(), rows),
               InvariantBroken);
  EXPECT_THROW(cache.write(0, beyond, 0, 1, rows), InvariantBroken);
  EXPECT_THROW(cache.copy_on_device(BlockId{0}, BlockId{2}), InvariantBroken);
  EXPECT_THROW(cache.copy_on_device(BlockId{0}, BlockId{0}), InvariantBroken);
  EXPECT_THROW(cache.copy_to_host(BlockId{0}, BlockId{1}), InvariantBroken);
  EXPECT_THROW(cache.copy_to_device(BlockId{1}, BlockId{0}), InvariantBroken);
  EXPECT_THROW(cache.offset(0, true, 3), InvariantBroken);
  const auto made = [](KvShape shape) { return KvCache(shape, 1, 0).device_blocks(); };
  for (const auto& [block_tokens, head_dim] :
       std::vector<std::pair<int, int>>{{0, 5}, {257, 5}, {4, 0}, {4, 257}}) {
    KvShape shape = kSmall;
    shape.block_tokens = block_tokens;
    shape.head_dim = head_dim;
    EXPECT_THROW(made(shape), InvariantBroken);
  }
  KvShape halves = kSmall;
  halves.element = ElementType::f16;
  EXPECT_THROW(made(halves), InvariantBroken);
}

// Would catch: a size that overflows to a small pool, and a pool that the system cannot give but
// ends the program.
TEST(KvCache, RefusesPoolsThatNoMachineHas) {
  const KvShape large{.layers = 64,
                      .kv_heads = 8,
                      .head_dim = 128,
                      .block_tokens = 16,
                      .element = ElementType::bf16};
  EXPECT_EQ(large.block_bytes(), 64 * 2 * 8 * 128 * 16 * 2);
  EXPECT_THROW(KvCache(large, std::numeric_limits<std::int64_t>::max() / 2, 0), InputError);
  EXPECT_THROW(KvCache(large, 0, std::int64_t{1} << 40), InputError);
}

}  // namespace
}  // namespace tokenyard
