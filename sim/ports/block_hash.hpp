#pragma once
// What names the content of a KV block: a hash over its tokens and, through its parent, over all
// tokens before them, so that equal hashes mean equal prefixes (as in vLLM's prefix cache).

#include <cstdint>

#include "sim/ports/ids.hpp"

namespace tokenyard {

/// 0 names no content. Two contents meet in one hash with a chance of 2^-64 a pair.
enum class BlockHash : std::uint64_t {};
inline constexpr BlockHash kNoHash{0};

/// One step of a chain: the hash of `parent` followed by `content` (a token id, or a trace's own
/// name for a piece of prompt). The mixing is the finalizer of SplitMix64 (Steele et al., OOPSLA
/// 2014), so it is the same on every machine.
constexpr BlockHash chain(BlockHash parent, std::uint64_t content) {
  std::uint64_t mixed = static_cast<std::uint64_t>(parent) * 0x9e3779b97f4a7c15U + content;
  mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9U;
  mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111ebU;
  mixed ^= mixed >> 31U;
  return BlockHash{mixed == 0 ? 1 : mixed};
}

/// Where a tenant's chains begin: no tenant finds another's blocks.
constexpr BlockHash chain_of(TenantId tenant) {
  return chain(BlockHash{0x746f6b656e796172U}, static_cast<std::uint64_t>(tenant));
}

}  // namespace tokenyard
