#pragma once
// Gathers the keys and values of a chunk from the pages that hold them. For the files that may
// include simd.hpp.

#include "engine/kernels/attention_kernel.hpp"
#include "engine/kernels/simd.hpp"

namespace tokenyard {
namespace {

/// Copies a vector of elements, or eight, or one, and widens them.
struct Vector {
  static constexpr int kWidth = kLanes;
  template <typename Element>
  static void copy(const Element* from, float* to) {
    store(to, load(from));
  }
};
struct Eight {
  static constexpr int kWidth = 8;
  typedef std::uint16_t From __attribute__((vector_size(16), aligned(2), may_alias));
  typedef std::uint32_t To __attribute__((vector_size(32), aligned(4), may_alias));
  static void copy(const float* from, float* to) { __builtin_memcpy(to, from, 8 * sizeof(float)); }
  static void copy(const std::uint16_t* from, float* to) {
    *reinterpret_cast<To*>(to) = __builtin_convertvector(*reinterpret_cast<const From*>(from), To)
                                 << 16;
  }
};
struct Single {
  static constexpr int kWidth = 1;
  static void copy(const float* from, float* to) { *to = *from; }
  static void copy(const std::uint16_t* from, float* to) {
    const std::uint32_t bits = static_cast<std::uint32_t>(*from) << 16U;
    __builtin_memcpy(to, &bits, sizeof bits);
  }
};

/// A matrix in a page, and the place that will be read next from there on.
template <typename Element>
struct Piece {
  const Element* from = nullptr;
  const Element* ahead = nullptr;
  std::int64_t stride = 0;  ///< elements from one row to the next
};

/// Copies the columns from `at` on that fill whole `Width`s; gives the first column left over.
template <typename Width, typename Element>
inline std::int64_t copy_columns(const Piece<Element>& piece, std::int64_t at, std::int64_t rows,
                                 std::int64_t columns, float* to, std::int64_t to_stride) {
  for (; at + Width::kWidth <= columns; at += Width::kWidth) {
    for (std::int64_t row = 0; row < rows; ++row) {
      __builtin_prefetch(piece.ahead + row * piece.stride + at, 0, 2);
      Width::copy(piece.from + row * piece.stride + at, to + row * to_stride + at);
    }
  }
  return at;
}

template <typename Element>
inline void copy_piece(const Piece<Element>& piece, std::int64_t rows, std::int64_t columns,
                       float* to, std::int64_t to_stride) {
  std::int64_t at = copy_columns<Vector>(piece, 0, rows, columns, to, to_stride);
  if (kLanes > 8) at = copy_columns<Eight>(piece, at, rows, columns, to, to_stride);
  copy_columns<Single>(piece, at, rows, columns, to, to_stride);
}

/// Where the block of token `position` begins.
inline const std::byte* block_of(const AttentionTask& task, std::int64_t position) {
  const auto block = static_cast<std::int64_t>(task.blocks[position / task.block_tokens]);
  return task.pool + block * task.block_bytes;
}

inline std::int64_t last_position(const AttentionTask& task) {
  return task.first_position + task.tokens - 1;
}

/// Tokens [begin, begin + count) of a sequence as dense f32 matrices, count <= kAttentionChunk.
/// While it copies, it asks for the lines that the next chunk will need, be it this task's or the
/// next task's: after a page the processor cannot guess where the sequence goes on.
template <typename Element>
class ChunkReader {
 public:
  ChunkReader(const AttentionTask& task, const AttentionTask* next) : task_(task), next_(next) {}

  /// To [dim][kAttentionChunk]. Columns behind the last token hold anything.
  void read_keys(std::int64_t begin, std::int64_t count, float* to) const {
    const std::int64_t size = task_.block_tokens;
    for (std::int64_t done = 0; done < count;) {
      const std::int64_t in_block = (begin + done) % size;
      // Whole vectors where the block has them: what is behind the last token does no harm.
      std::int64_t run = (count - done + kLanes - 1) / kLanes * kLanes;
      if (run > size - in_block) run = size - in_block;
      if (run > kAttentionChunk - done) run = kAttentionChunk - done;
      const Piece<Element> piece{keys(task_, begin + done), ahead(begin, done, true), size};
      copy_piece(piece, task_.head_dim, run, to + done, kAttentionChunk);
      done += run;
    }
  }

  /// To [kAttentionChunk][stride]. Columns behind the head's hold anything.
  void read_values(std::int64_t begin, std::int64_t count, float* to, std::int64_t stride) const {
    const std::int64_t size = task_.block_tokens;
    for (std::int64_t done = 0; done < count;) {
      std::int64_t run = size - (begin + done) % size;
      if (run > count - done) run = count - done;
      const Piece<Element> piece{values(task_, begin + done), ahead(begin, done, false),
                                 task_.head_dim};
      copy_piece(piece, run, task_.head_dim, to + done * stride, stride);
      done += run;
    }
  }

 private:
  static const Element* keys(const AttentionTask& task, std::int64_t position) {
    return reinterpret_cast<const Element*>(block_of(task, position) + task.keys_offset) +
           position % task.block_tokens;
  }
  static const Element* values(const AttentionTask& task, std::int64_t position) {
    return reinterpret_cast<const Element*>(block_of(task, position) + task.values_offset) +
           position % task.block_tokens * task.head_dim;
  }
  /// What the next chunk has in the place of token begin + done.
  const Element* ahead(std::int64_t begin, std::int64_t done, bool of_keys) const {
    const AttentionTask* task = &task_;
    std::int64_t position = begin + kAttentionChunk + done;
    if (begin + kAttentionChunk > last_position(task_)) {
      position = done;
      if (next_ != nullptr) task = next_;
    }
    if (position > last_position(*task)) position = last_position(*task);
    return of_keys ? keys(*task, position) : values(*task, position);
  }

  const AttentionTask& task_;
  const AttentionTask* next_;
};

}  // namespace
}  // namespace tokenyard
