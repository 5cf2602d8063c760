#pragma once

#include <cstdint>

#include "sim/kernel/time.hpp"
#include "sim/ports/ids.hpp"

namespace tokenyard {

/// Where a request's KV cache is; `remote`: on another replica, which handed the request over.
enum class KvPlace : std::uint8_t { none, device, moving_out, host, remote, moving_in };

/// All that a policy may know of a live request. There is no field for the true output length and
/// no way to it (docs/architecture.md, "What a policy may know").
struct RequestView {
  RequestId id{};
  /// A small number of its own while it lives, used again after that: the index for a policy's
  /// tables, which then grow with the live requests and not with all there ever were.
  std::uint32_t slot = 0;
  Time arrived = kOrigin;
  std::int64_t prompt_tokens = 0;
  std::int64_t max_tokens = 0;  ///< the client's bound, or what the context or pool leaves
  std::int64_t generated = 0;   ///< output tokens produced so far
  std::int64_t computed = 0;    ///< tokens whose KV is in the cache; drops to 0 on eviction
  std::int32_t sequences = 1;   ///< unfinished sequences; they step together, so `generated` and
                                ///< `computed` hold for each of them
  Duration served{0};           ///< sum of the durations of all iterations it ran in
  Time last_ran = kOrigin;      ///< end of the last iteration it ran in; its arrival before that
  std::uint64_t last_iteration = 0;  ///< number of iterations begun when it last ran or arrived
  std::int64_t blocks_held = 0;  ///< entries in its block tables, a shared block counted each time
  KvPlace kv = KvPlace::none;
  TenantId tenant{};
  std::int32_t priority = 0;

  /// All tokens there are of it: the prompt and what was generated.
  std::int64_t known_tokens() const { return prompt_tokens + generated; }
  /// Tokens that the next iterations must compute for a sequence before (and with) its next output
  /// token: the prompt for a new request, 1 in decode, everything again after an eviction.
  std::int64_t pending_tokens() const { return known_tokens() - computed; }
};

}  // namespace tokenyard
