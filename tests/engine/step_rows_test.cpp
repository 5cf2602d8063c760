#include "engine/layers/step_rows.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

namespace tokenyard {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// A prompt's chunk of five tokens, a token of decoding, and a chunk of four that ends its prompt.
class ThreeSequences : public ::testing::Test {
 protected:
  const std::vector<Token> a_{10, 11, 12, 13, 14}, b_{20}, c_{30, 31, 32, 33};
  const std::vector<BlockId> blocks_{BlockId{7}};
  const std::vector<StepSequence> step_{
      {a_, 3, blocks_, false}, {b_, 40, blocks_, true}, {c_, 0, blocks_, true}};
  StepRows rows_;
};

// Would catch: rows out of order, positions that do not follow the sequence's first, and a wrong
// row for the logits.
TEST_F(ThreeSequences, AllRows) {
  rows_.take(step_, 0, 10);
  EXPECT_THAT(rows_.tokens, ElementsAre(10, 11, 12, 13, 14, 20, 30, 31, 32, 33));
  EXPECT_THAT(rows_.positions, ElementsAre(3, 4, 5, 6, 7, 40, 0, 1, 2, 3));
  EXPECT_THAT(rows_.logit_rows, ElementsAre(5, 9));
  ASSERT_EQ(rows_.chunks.size(), 3U);
  EXPECT_EQ(rows_.chunks[2].first_row, 6);
  EXPECT_EQ(rows_.chunks[2].queries, 4);
  EXPECT_EQ(rows_.chunks[2].blocks.data(), blocks_.data());
}

// Would catch: a cut within a sequence that loses or repeats a token, counts its rows from the
// step's beginning, or asks for logits of a token that is not the sequence's last.
TEST_F(ThreeSequences, CutAnywhere) {
  for (std::int64_t cut = 0; cut <= 10; ++cut) {
    std::vector<Token> tokens;
    std::vector<std::int64_t> positions, logit_rows;
    for (const auto& [begin, end] : {std::pair{std::int64_t{0}, cut}, {cut, std::int64_t{10}}}) {
      rows_.take(step_, begin, end);
      EXPECT_EQ(rows_.count(), end - begin);
      tokens.insert(tokens.end(), rows_.tokens.begin(), rows_.tokens.end());
      positions.insert(positions.end(), rows_.positions.begin(), rows_.positions.end());
      for (const std::int64_t row : rows_.logit_rows) logit_rows.push_back(begin + row);
      std::int64_t next = 0;
      for (const AttentionSequence& chunk : rows_.chunks) {
        EXPECT_EQ(chunk.first_row, next);
        EXPECT_EQ(chunk.first_position, rows_.positions[static_cast<std::size_t>(next)]);
        next += chunk.queries;
      }
      EXPECT_EQ(next, rows_.count());
    }
    EXPECT_THAT(tokens, ElementsAre(10, 11, 12, 13, 14, 20, 30, 31, 32, 33)) << cut;
    EXPECT_THAT(positions, ElementsAre(3, 4, 5, 6, 7, 40, 0, 1, 2, 3)) << cut;
    EXPECT_THAT(logit_rows, ElementsAre(5, 9)) << cut;
  }
}

// Would catch: chunks of one worker's rows that are cut wrongly, so that a token's keys are written
// twice or not at all.
TEST_F(ThreeSequences, ChunksAmongSomeRows) {
  rows_.take(step_, 0, 10);
  for (std::int64_t begin = 0; begin <= 10; ++begin) {
    for (std::int64_t end = begin; end <= 10; ++end) {
      std::vector<std::int64_t> seen;
      rows_.for_chunks(begin, end, [&](const auto& chunk, std::int64_t first, std::int64_t tokens) {
        for (std::int64_t i = 0; i < tokens; ++i) seen.push_back(chunk.first_row + first + i);
      });
      std::vector<std::int64_t> expected;
      for (std::int64_t row = begin; row < end; ++row) expected.push_back(row);
      EXPECT_EQ(seen, expected);
    }
  }
}

// Would catch: rows of the step before that are left behind.
TEST_F(ThreeSequences, AnEmptyStepHasNoRows) {
  rows_.take(step_, 0, 10);
  rows_.take({}, 0, 0);
  EXPECT_EQ(rows_.count(), 0);
  EXPECT_THAT(rows_.logit_rows, IsEmpty());
  EXPECT_THAT(rows_.chunks, IsEmpty());
}

}  // namespace
}  // namespace tokenyard
