#include "sim/ports/block_hash.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace tokenyard {
namespace {

// The mixing is that of SplitMix64, whose n-th output from the state s is that of s + n * gamma: so
// is chain(n, s). The expected values are published test vectors: for the seed 1234567 those of
// Rosetta Code ("Pseudo-random numbers/Splitmix64"), for 0 those that the reference implementation
// (Vigna, splitmix64.c) yields.
// Would catch: a change of the hash, which would rename every block in recorded runs, and a
// constant or shift that is wrong.
TEST(BlockHash, MeetsTheTestVectorsOfSplitMix64) {
  const std::vector<std::uint64_t> from_1234567{6457827717110365317U, 3203168211198807973U,
                                                9817491932198370423U, 4593380528125082431U,
                                                16408922859458223821U};
  const std::vector<std::uint64_t> from_0{0xe220a8397b1dcdafU, 0x6e789e6aa1b965f4U,
                                          0x06c45d188009454fU};
  for (std::size_t i = 0; i < from_1234567.size(); ++i) {
    EXPECT_EQ(chain(BlockHash{i + 1}, 1234567), BlockHash{from_1234567[i]});
  }
  for (std::size_t i = 0; i < from_0.size(); ++i) {
    EXPECT_EQ(chain(BlockHash{i + 1}, 0), BlockHash{from_0[i]});
  }
}

// Would catch: a content that gets no name, and so would never be found.
TEST(BlockHash, NamesEveryContent) {
  static_assert(chain(kNoHash, 0) != kNoHash);  // the one case that mixes to zero at once
  // parent * gamma + content = 0 modulo 2^64 for this pair too.
  static_assert(chain(BlockHash{1}, ~std::uint64_t{0x9e3779b97f4a7c15U} + 1) != kNoHash);
  EXPECT_NE(chain_of(TenantId{0}), kNoHash);
}

// Would catch: a sum or a xor of tokens, which forgets their order, and a hash of the last token
// alone, which forgets all before it.
TEST(BlockHash, DependsOnOrderAndOnAllThatWentBefore) {
  const auto hash_of = [](std::initializer_list<std::uint64_t> tokens) {
    BlockHash hash = chain_of(TenantId{0});
    for (const std::uint64_t token : tokens) hash = chain(hash, token);
    return hash;
  };
  EXPECT_EQ(hash_of({1, 2, 3}), hash_of({1, 2, 3}));
  EXPECT_NE(hash_of({1, 2, 3}), hash_of({3, 2, 1}));
  EXPECT_NE(hash_of({1, 2, 3}), hash_of({2, 1, 3}));
  EXPECT_NE(hash_of({1, 2, 3}), hash_of({4, 2, 3}));
  EXPECT_NE(hash_of({1, 2}), hash_of({1, 2, 0}));
}

// Would catch: tenants whose chains meet, and tokens that fall together, as with a hash that keeps
// few bits: among these 200,000 names a good one has two alike with a chance of 1e-9.
TEST(BlockHash, NoTwoShortPromptsOfTenTenantsMeet) {
  std::vector<BlockHash> named;
  const auto name = [&](BlockHash parent, std::uint64_t token) {
    return named.emplace_back(chain(parent, token));
  };
  for (std::uint32_t tenant = 0; tenant < 10; ++tenant) {
    const BlockHash root = named.emplace_back(chain_of(TenantId{tenant}));
    for (std::uint64_t first = 0; first < 27; ++first) {
      const BlockHash one = name(root, first);
      for (std::uint64_t second = 0; second < 27; ++second) {
        const BlockHash two = name(one, second);
        for (std::uint64_t third = 0; third < 27; ++third) name(two, third);
      }
    }
  }
  ASSERT_EQ(named.size(), 10u * (1 + 27 + 27 * 27 + 27 * 27 * 27));
  std::sort(named.begin(), named.end());
  EXPECT_EQ(std::adjacent_find(named.begin(), named.end()), named.end());
}

}  // namespace
}  // namespace tokenyard
