#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/kernels/huge_buffer.hpp"
#include "engine/model_config.hpp"
#include "engine/weights/tensor_view.hpp"
#include "sim/ports/ids.hpp"

namespace tokenyard {

inline constexpr std::int32_t kKvBlockTokensMost = 256;

/// The size of a paged KV cache and how its elements are stored.
struct KvShape {
  std::int32_t layers = 0;
  std::int32_t kv_heads = 0;
  std::int32_t head_dim = 0;
  std::int32_t block_tokens = 0;           ///< 1 to kKvBlockTokensMost
  ElementType element = ElementType::f32;  ///< f32 or bf16

  /// Tokens whose keys lie together: a block of them, or 64 where that divides it, which is as many
  /// as attention reads at a time.
  std::int32_t key_tokens() const { return block_tokens % 64 == 0 ? 64 : block_tokens; }
  /// Bytes of the keys (and of the values) of one layer's head in a block.
  std::int64_t head_bytes() const;
  /// Bytes of a block: keys and values of all layers.
  std::int64_t block_bytes() const;
};

/// Keys and values of consecutive tokens, one row a token: [tokens, kv_heads x head_dim].
struct KvRows {
  const float* keys = nullptr;
  const float* values = nullptr;
  std::int64_t stride = 0;  ///< floats from one token's row to the next one's, for both
};

/// The physical pages of a paged KV cache (Kwon et al., "Efficient Memory Management for Large
/// Language Model Serving with PagedAttention", arXiv 2309.06180): a device pool, which attention
/// reads, and a host pool for what was swapped out. Who holds which block is not known here. Owns
/// both pools; their memory is taken from the system as blocks are first written.
///
/// A block holds `block_tokens` tokens of all layers in one piece, so that a copy is one memcpy:
///
///     [layer][keys, values][kv_head] of
///         keys [block_tokens / key_tokens][head_dim][key_tokens],
///         values [block_tokens][head_dim]
///
/// Keys lie transposed, because scores are computed with a token in each lane.
///
/// A token of which nothing was written has unspecified contents. Arguments out of range break an
/// invariant.
///
/// Thread-safety: no locks. Calls may run at the same time if none of them writes what another one
/// touches: a copy reads and writes whole blocks, `write` only its tokens' elements, attention
/// reads any of a table's blocks up to the last query's.
class KvCache {
 public:
  /// Throws `InputError` if the system refuses the memory.
  KvCache(const KvShape& shape, std::int64_t device_blocks, std::int64_t host_blocks);

  const KvShape& shape() const { return shape_; }
  std::int64_t device_blocks() const { return device_blocks_; }
  std::int64_t host_blocks() const { return host_blocks_; }

  /// Writes one layer's keys and values of the `tokens` tokens from position `first` of a sequence,
  /// whose block table covers them. bf16 rounds to nearest, ties to even.
  void write(std::int32_t layer, std::span<const BlockId> table, std::int64_t first,
             std::int64_t tokens, const KvRows& rows);

  void copy_on_device(BlockId from, BlockId to);  ///< for copy-on-write
  void copy_to_host(BlockId device, BlockId host);
  void copy_to_device(BlockId host, BlockId device);

  /// Block `block` of the device begins at `block` x `shape().block_bytes()`.
  const std::byte* device_data() const { return device_.data(); }
  /// Where keys (else values) of a layer's head begin in a block.
  std::int64_t offset(std::int32_t layer, bool keys, std::int32_t kv_head) const;

 private:
  std::byte* device_block(BlockId block) const;
  std::byte* host_block(BlockId block) const;

  KvShape shape_;
  std::int64_t device_blocks_;
  std::int64_t host_blocks_;
  HugeBuffer device_;
  HugeBuffer host_;
};

}  // namespace tokenyard
