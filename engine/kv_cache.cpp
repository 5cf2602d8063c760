#include "engine/kv_cache.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "engine/kernels/bf16.hpp"
#include "sim/kernel/input_error.hpp"
#include "sim/kernel/invariant.hpp"

namespace tokenyard {
namespace {

void check(const KvShape& shape) {
  const auto in_range = [](std::int32_t size, std::int64_t most) {
    return size >= 1 && size <= most;
  };
  invariant(in_range(shape.layers, kModelSizeMost) && in_range(shape.kv_heads, kModelHeadsMost) &&
                in_range(shape.head_dim, kModelHeadDimMost) &&
                in_range(shape.block_tokens, kKvBlockTokensMost),
            "KV cache: sizes in range", "layers {}, heads {}, head_dim {}, block_tokens {}",
            shape.layers, shape.kv_heads, shape.head_dim, shape.block_tokens);
  invariant(shape.element != ElementType::f16, "KV cache: elements are f32 or bf16", "f16");
}

/// A process has no room for more addresses (2^47) than two such pools.
constexpr std::int64_t kPoolBytesMost = std::int64_t{1} << 46;

HugeBuffer reserve(const char* pool, std::int64_t blocks, std::int64_t block_bytes) {
  invariant(blocks >= 0, "KV cache: a pool has at least no block", "{}", blocks);
  std::int64_t bytes = 0;
  if (!__builtin_mul_overflow(blocks, block_bytes, &bytes) && bytes <= kPoolBytesMost) {
    try {
      return HugeBuffer(static_cast<std::size_t>(bytes));
    } catch (const std::bad_alloc&) {
    }
  }
  throw InputError(
      fmt::format("KV cache: the system refuses memory for the {} pool's {} blocks of "
                  "{} bytes",
                  pool, blocks, block_bytes));
}

float stored(float value, float*) {
  return value;
}
std::uint16_t stored(float value, std::uint16_t*) {
  return round_to_bf16(value);
}

/// One head's keys of `tokens` rows into a block, from its token `at` on, within a group of keys.
template <typename Element>
void write_keys(Element* page, const KvShape& shape, std::int64_t at, std::int64_t tokens,
                const float* rows, std::int64_t stride) {
  const std::int64_t group_tokens = shape.key_tokens();
  Element* group = page + at / group_tokens * group_tokens * shape.head_dim + at % group_tokens;
  // A few dimensions at a time, so that both what is read and what is written stays in few lines.
  constexpr std::int64_t kStep = 16;
  for (std::int64_t begin = 0; begin < shape.head_dim; begin += kStep) {
    const std::int64_t end = std::min<std::int64_t>(begin + kStep, shape.head_dim);
    for (std::int64_t token = 0; token < tokens; ++token) {
      for (std::int64_t d = begin; d < end; ++d) {
        group[d * group_tokens + token] = stored(rows[token * stride + d], page);
      }
    }
  }
}

template <typename Element>
void write_values(Element* page, const KvShape& shape, std::int64_t at, std::int64_t tokens,
                  const float* rows, std::int64_t stride) {
  for (std::int64_t token = 0; token < tokens; ++token) {
    Element* to = page + (at + token) * shape.head_dim;
    for (std::int64_t d = 0; d < shape.head_dim; ++d)
      to[d] = stored(rows[token * stride + d], page);
  }
}

/// All heads of one layer in a block; `page` begins with the first head's keys.
template <typename Element>
void write_block(std::byte* page, const KvShape& shape, std::int64_t at, std::int64_t tokens,
                 const KvRows& rows) {
  auto* keys = reinterpret_cast<Element*>(page);
  const std::int64_t head = static_cast<std::int64_t>(shape.head_dim) * shape.block_tokens;
  for (std::int64_t h = 0; h < shape.kv_heads; ++h) {
    const std::int64_t column = h * shape.head_dim;
    write_keys(keys + h * head, shape, at, tokens, rows.keys + column, rows.stride);
    write_values(keys + (shape.kv_heads + h) * head, shape, at, tokens, rows.values + column,
                 rows.stride);
  }
}

}  // namespace

std::int64_t KvShape::head_bytes() const {
  return static_cast<std::int64_t>(head_dim) * block_tokens *
         static_cast<std::int64_t>(element_bytes(element));
}

std::int64_t KvShape::block_bytes() const {
  return 2 * static_cast<std::int64_t>(layers) * kv_heads * head_bytes();
}

KvCache::KvCache(const KvShape& shape, std::int64_t device_blocks, std::int64_t host_blocks)
    : shape_(shape), device_blocks_(device_blocks), host_blocks_(host_blocks) {
  check(shape);
  device_ = reserve("device", device_blocks, shape.block_bytes());
  host_ = reserve("host", host_blocks, shape.block_bytes());
}

std::int64_t KvCache::offset(std::int32_t layer, bool keys, std::int32_t kv_head) const {
  invariant(layer >= 0 && layer < shape_.layers && kv_head >= 0 && kv_head < shape_.kv_heads,
            "KV cache: layer and head exist", "layer {} of {}, head {} of {}", layer, shape_.layers,
            kv_head, shape_.kv_heads);
  const std::int64_t heads =
      (2 * static_cast<std::int64_t>(layer) + (keys ? 0 : 1)) * shape_.kv_heads;
  return (heads + kv_head) * shape_.head_bytes();
}

void KvCache::write(std::int32_t layer, std::span<const BlockId> table, std::int64_t first,
                    std::int64_t tokens, const KvRows& rows) {
  const std::int64_t size = shape_.block_tokens;
  const std::int64_t covered = static_cast<std::int64_t>(table.size()) * size;
  invariant(first >= 0 && tokens >= 0 && first <= covered && tokens <= covered - first,
            "KV cache: a block table covers what is written",
            "{} tokens from {} in {} blocks of {}", tokens, first, table.size(), size);
  const std::int64_t layer_offset = offset(layer, true, 0);
  KvRows left = rows;
  for (std::int64_t token = first; token < first + tokens;) {
    const std::int64_t at = token % size;
    const std::int64_t group_left = shape_.key_tokens() - at % shape_.key_tokens();
    const std::int64_t count = std::min(group_left, first + tokens - token);
    std::byte* page = device_block(table[static_cast<std::size_t>(token / size)]) + layer_offset;
    if (shape_.element == ElementType::f32) {
      write_block<float>(page, shape_, at, count, left);
    } else {
      write_block<std::uint16_t>(page, shape_, at, count, left);
    }
    left.keys += count * rows.stride;
    left.values += count * rows.stride;
    token += count;
  }
}

void KvCache::copy_on_device(BlockId from, BlockId to) {
  invariant(from != to, "KV cache: a copy has two blocks", "{}", index(from));
  std::memcpy(device_block(to), device_block(from), static_cast<std::size_t>(shape_.block_bytes()));
}

void KvCache::copy_to_host(BlockId device, BlockId host) {
  std::memcpy(host_block(host), device_block(device),
              static_cast<std::size_t>(shape_.block_bytes()));
}

void KvCache::copy_to_device(BlockId host, BlockId device) {
  std::memcpy(device_block(device), host_block(host),
              static_cast<std::size_t>(shape_.block_bytes()));
}

std::byte* KvCache::device_block(BlockId block) const {
  invariant(static_cast<std::int64_t>(index(block)) < device_blocks_,
            "KV cache: a device block exists", "block {} of {}", index(block), device_blocks_);
  return device_.data() + static_cast<std::int64_t>(index(block)) * shape_.block_bytes();
}

std::byte* KvCache::host_block(BlockId block) const {
  invariant(static_cast<std::int64_t>(index(block)) < host_blocks_, "KV cache: a host block exists",
            "block {} of {}", index(block), host_blocks_);
  return host_.data() + static_cast<std::int64_t>(index(block)) * shape_.block_bytes();
}

}  // namespace tokenyard
