#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "sim/kernel/time.hpp"
#include "sim/ports/block_hash.hpp"
#include "sim/ports/ids.hpp"

namespace tokenyard {

/// What a client sent. It has no field for the true output length: that is known to the
/// `OutputOracle` alone. A value type.
struct Request {
  RequestId id{};
  Time arrival = kOrigin;
  std::int64_t prompt_tokens = 0;          ///< at least 1
  std::optional<std::int64_t> max_tokens;  ///< the client's bound on the output, where it gave one
  TenantId tenant{};
  std::uint32_t session = 0;  ///< the conversation that it belongs to, from 1; 0: none
  std::int32_t priority = 0;  ///< smaller is more urgent, as in vLLM
  /// Sequences that are decoded together over one prompt, at least 1: parallel samples (the greater
  /// of `n` and `best_of`) or beams.
  std::int32_t width = 1;
  bool beam_search = false;  ///< after each step its sequences are the best continuations of all
  /// One a full KV block of the prompt, chained (see block_hash.hpp); may be empty. Owned by who
  /// made the request; valid until it has ended.
  std::span<const BlockHash> prompt_hashes;
};

}  // namespace tokenyard
