#pragma once

#include <cstdint>
#include <vector>

#include "sim/ports/block_hash.hpp"
#include "traces/trace.hpp"

namespace tokenyard {

/// The most KV blocks of one prompt that get a hash: more than a pool has, and a bound on the
/// memory that a trace can ask for.
inline constexpr std::int64_t kMostPromptHashes = 4'194'304;

/// The chained hash of each full KV block of a request's prompt, from the first on, as far as the
/// trace tells the content: equal hashes mean equal prefixes of one tenant. KV blocks that are not
/// wholly covered by known content, and those beyond `kMostPromptHashes`, have none.
///
/// Token ids are chained one by one from `chain_of(tenant)`, as an engine would. A trace's block
/// hashes name `trace.block_tokens` tokens each, and a KV block of any size is named by the pieces
/// that it is made of: for every trace block that it overlaps, that block's hash and the offset in
/// it. So prompts that share their first trace blocks share every full KV block within these,
/// whether or not one size divides the other. The two kinds never meet in one hash.
std::vector<BlockHash> prompt_hashes(const Trace& trace, const TraceRequest& request,
                                     std::int64_t kv_block_tokens);

}  // namespace tokenyard
