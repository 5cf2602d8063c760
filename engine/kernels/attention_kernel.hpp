#pragma once
// What the attention kernels of all instruction sets have in common. Included by files that are
// compiled for one instruction set, so it holds plain data only: an inline function here could end
// up in the program as those files' copy of it.

#include <cstddef>
#include <cstdint>

#include "sim/ports/ids.hpp"

namespace tokenyard {

/// Tokens between two rescalings of the running softmax, counted from position 0.
inline constexpr int kAttentionChunk = 64;
/// Most rows that go through a chunk together.
inline constexpr int kAttentionTileRows = 6;
/// Rows of outputs are padded to a multiple of so many floats: the widest vector.
inline constexpr int kAttentionPad = 16;

/// Consecutive query tokens of one sequence and all query heads that share one KV head, or several
/// such. Row r of a KV head is token r / group, head r % group.
struct AttentionTask {
  const std::byte* pool = nullptr;  ///< the device's blocks
  std::int64_t block_bytes = 0;
  std::int32_t kv_heads = 1;    ///< that follow one another
  std::int64_t head_bytes = 0;  ///< from one to the next, in keys and in values
  /// In a block, of the first KV head: [block_tokens / key_tokens][dim][key_tokens].
  std::int64_t keys_offset = 0;
  std::int64_t values_offset = 0;  ///< [block_tokens][dim]
  bool bf16 = false;               ///< else f32
  std::int32_t block_tokens = 0;
  std::int32_t key_tokens = 0;
  std::int32_t head_dim = 0;
  const BlockId* blocks = nullptr;  ///< up to the last query's

  std::int64_t first_position = 0;  ///< of the first query token
  std::int32_t tokens = 0;
  std::int32_t group = 0;
  const float* queries = nullptr;  ///< of the first token and head; heads follow
  std::int64_t query_stride = 0;   ///< floats from one token to the next
  float* outputs = nullptr;
  std::int64_t output_stride = 0;
  float scale = 0;
  const float* slopes = nullptr;  ///< ALiBi: [kv_heads x group], or none
};

/// Working memory of one worker. Contents are unspecified at a task's beginning. Rows are those of
/// all KV heads.
struct AttentionBuffers {
  std::int64_t value_stride = 0;  ///< head_dim, padded
  float* keys = nullptr;          ///< [head_dim][kAttentionChunk]
  float* values = nullptr;        ///< [kAttentionChunk][value_stride]
  float* scores = nullptr;        ///< [kAttentionTileRows][kAttentionChunk]
  float* queries = nullptr;       ///< [rows][head_dim], scaled
  float* outputs = nullptr;       ///< [rows][value_stride], to be divided by the sums
  float* largest = nullptr;       ///< [rows]: the running maximum of the scores
  float* sums = nullptr;          ///< [rows]: of e^(score - largest)
};

/// One instruction set's way to compute a task.
struct AttentionKernel {
  /// `next`, or null, is the task that will come next: its first keys and values are fetched.
  void (*attend)(const AttentionTask& task, const AttentionTask* next,
                 const AttentionBuffers& buffers) = nullptr;
};

namespace baseline {
extern const AttentionKernel attention_kernel;
}
namespace avx2 {
extern const AttentionKernel attention_kernel;
}
namespace avx512 {
extern const AttentionKernel attention_kernel;
}

}  // namespace tokenyard
