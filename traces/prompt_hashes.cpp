#include "traces/prompt_hashes.hpp"

#include <algorithm>
#include <span>

#include "sim/kernel/invariant.hpp"

namespace tokenyard {

namespace {

/// Follows the tenant where a chain goes over trace hashes: no token id is as large, so no chain
/// over token ids begins like it.
constexpr std::uint64_t kOverTraceHashes = 0x626c6f636b5f6861U;

std::vector<BlockHash> over_token_ids(std::span<const std::int32_t> ids, BlockHash last,
                                      std::int64_t kv_block_tokens, std::int64_t blocks) {
  std::vector<BlockHash> hashes;
  hashes.reserve(static_cast<std::size_t>(blocks));
  for (std::int64_t block = 0; block < blocks; ++block) {
    const auto begin = static_cast<std::size_t>(block * kv_block_tokens);
    for (const std::int32_t id : ids.subspan(begin, static_cast<std::size_t>(kv_block_tokens))) {
      last = chain(last, static_cast<std::uint64_t>(id));
    }
    hashes.push_back(last);
  }
  return hashes;
}

std::vector<BlockHash> over_trace_hashes(std::span<const std::int64_t> names,
                                         std::int64_t trace_block_tokens, BlockHash last,
                                         std::int64_t kv_block_tokens, std::int64_t blocks) {
  last = chain(last, kOverTraceHashes);
  std::vector<BlockHash> hashes;
  hashes.reserve(static_cast<std::size_t>(blocks));
  for (std::int64_t block = 0; block < blocks; ++block) {
    const std::int64_t end = (block + 1) * kv_block_tokens;
    for (std::int64_t at = block * kv_block_tokens; at < end;) {
      const std::int64_t name = at / trace_block_tokens;
      const std::int64_t offset = at % trace_block_tokens;
      last = chain(last, static_cast<std::uint64_t>(names[static_cast<std::size_t>(name)]));
      last = chain(last, static_cast<std::uint64_t>(offset));
      at += trace_block_tokens - offset;
    }
    hashes.push_back(last);
  }
  return hashes;
}

}  // namespace

std::vector<BlockHash> prompt_hashes(const Trace& trace, const TraceRequest& request,
                                     std::int64_t kv_block_tokens) {
  invariant(kv_block_tokens > 0, "a KV block holds tokens", "{} tokens", kv_block_tokens);
  const auto ids = trace.prompt_token_ids.at(request.prompt_token_ids);
  const auto names = trace.block_hashes.at(request.block_hashes);
  const auto named = static_cast<std::int64_t>(names.size()) * trace.block_tokens;
  const std::int64_t known =
      ids.empty() ? std::min(named, request.input_tokens) : static_cast<std::int64_t>(ids.size());
  const std::int64_t blocks = std::min(known / kv_block_tokens, kMostPromptHashes);
  const BlockHash start = chain_of(request.tenant);
  if (!ids.empty()) return over_token_ids(ids, start, kv_block_tokens, blocks);
  return over_trace_hashes(names, trace.block_tokens, start, kv_block_tokens, blocks);
}

}  // namespace tokenyard
