#pragma once
// Where the tokens of a sequence are, and a way to copy them together. For the files that may
// include simd.hpp.

#include "engine/kernels/attention_kernel.hpp"
#include "engine/kernels/simd.hpp"

namespace tokenyard {
namespace {

inline std::int64_t last_position(const AttentionTask& task) {
  return task.first_position + task.tokens - 1;
}

/// Walks over a sequence's tokens in its pages. Beyond the last block it stays in that one.
template <typename Element>
class Cursor {
 public:
  Cursor(const AttentionTask& task, std::int64_t position)
      : task_(&task),
        last_block_(block_of(task, last_position(task))),
        block_(block_of(task, position)),
        token_(position - block_ * task.block_tokens) {}

  /// The token's place in a row of keys; rows are `key_tokens` apart.
  const Element* keys() const {
    const Element* keys = page(task_->keys_offset);
    if (token_ < task_->key_tokens) return keys + token_;  // most blocks have one group
    const std::int64_t in_group = token_ % task_->key_tokens;
    return keys + (token_ - in_group) * task_->head_dim + in_group;
  }
  /// The token's values; those of the next token in the block follow.
  const Element* values() const { return page(task_->values_offset) + token_ * task_->head_dim; }
  /// Tokens from this one to the end of those whose keys lie together.
  std::int64_t left_in_group() const { return task_->key_tokens - token_ % task_->key_tokens; }
  /// Tokens from this one to the block's end.
  std::int64_t left_in_block() const { return task_->block_tokens - token_; }
  /// By at most a block.
  void move(std::int64_t tokens) {
    token_ += tokens;
    if (token_ < task_->block_tokens) return;
    token_ -= task_->block_tokens;
    ++block_;
  }

 private:
  /// (The plan keeps positions within 32 bits, in which a division takes half the time.)
  static std::int64_t block_of(const AttentionTask& task, std::int64_t position) {
    return static_cast<std::uint32_t>(position) / static_cast<std::uint32_t>(task.block_tokens);
  }
  const Element* page(std::int64_t offset) const {
    const std::int64_t block = block_ < last_block_ ? block_ : last_block_;
    return reinterpret_cast<const Element*>(
        task_->pool + static_cast<std::int64_t>(task_->blocks[block]) * task_->block_bytes +
        offset);
  }

  const AttentionTask* task_;
  std::int64_t last_block_;
  std::int64_t block_;
  std::int64_t token_;  ///< in the block
};

/// Copies vectors of elements, or single ones, and widens them.
struct CopyVectors {
  static constexpr int kWidth = kLanes;
  template <typename Element>
  static void copy(const Element* from, float* to) {
    store(to, load(from));
  }
};
struct CopySingles {
  static constexpr int kWidth = 1;
  static void copy(const float* from, float* to) { *to = *from; }
  static void copy(const std::uint16_t* from, float* to) {
    const std::uint32_t bits = static_cast<std::uint32_t>(*from) << 16U;
    __builtin_memcpy(to, &bits, sizeof bits);
  }
};

/// A matrix in a page, and the place of what will be read next.
template <typename Element>
struct Piece {
  const Element* from = nullptr;
  const Element* ahead = nullptr;
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::int64_t stride = 0;  ///< elements from one row to the next
};

/// Copies the columns from `at` on that fill whole widths; gives the first column left over.
template <typename Copy, typename Element>
inline std::int64_t copy_columns(const Piece<Element>& piece, std::int64_t at, float* to,
                                 std::int64_t to_stride) {
  for (; at + Copy::kWidth <= piece.columns; at += Copy::kWidth) {
    for (std::int64_t row = 0; row < piece.rows; ++row) {
      __builtin_prefetch(piece.ahead + row * piece.stride + at, 0, 2);
      Copy::copy(piece.from + row * piece.stride + at, to + row * to_stride + at);
    }
  }
  return at;
}

template <typename Element>
inline void copy_piece(const Piece<Element>& piece, float* to, std::int64_t to_stride) {
  const std::int64_t at = copy_columns<CopyVectors>(piece, 0, to, to_stride);
  copy_columns<CopySingles>(piece, at, to, to_stride);
}

}  // namespace
}  // namespace tokenyard
