#include "sim/server/admission.hpp"

#include <algorithm>
#include <bit>

#include "sim/kernel/invariant.hpp"

namespace tokenyard {

namespace {

std::int64_t reserved_tokens(const Request& request, const KvSettings& kv, std::int64_t max_tokens,
                             const OutputOracle* oracle) {
  if (kv.reserve == Reserve::paged) return 0;
  if (kv.reserve == Reserve::whole) return request.prompt_tokens + max_tokens;
  invariant(oracle != nullptr, "I9 truth is there where it is needed",
            "a clairvoyant reservation without an oracle");
  const std::int64_t output = oracle->output_tokens(request.id);
  if (kv.reserve == Reserve::oracle) return request.prompt_tokens + output;
  return request.prompt_tokens +
         static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(output)));
}

}  // namespace

Admission admit(const Request& request, const ServerSettings& settings,
                const OutputOracle* oracle) {
  Admission admission;
  if (request.width > settings.limits.max_num_seqs ||
      request.width > settings.limits.max_num_batched_tokens) {
    admission.reason = "more sequences than an iteration holds";
    return admission;
  }
  // What each of its sequences can come to hold when they share the full blocks of the prompt alone
  // (the inverse of `lifetime_blocks`).
  const std::int64_t block_size = settings.kv.block_size;
  const std::int64_t shared = request.prompt_tokens / block_size;
  const std::int64_t pool_tokens =
      (settings.kv.device_blocks + (request.width - 1) * shared) / request.width * block_size;
  const std::int64_t context = settings.limits.max_model_len;
  const std::int64_t limit = context > 0 ? std::min(context, pool_tokens) : pool_tokens;
  const bool pool_is_tighter = limit == pool_tokens && limit != context;

  if (request.prompt_tokens >= limit) {
    admission.reason =
        pool_is_tighter ? "the prompt fills the KV pool" : "the prompt fills the context";
    return admission;
  }
  if (oracle != nullptr && request.prompt_tokens + oracle->output_tokens(request.id) > limit) {
    admission.reason = pool_is_tighter ? "prompt and output exceed the KV pool"
                                       : "prompt and output exceed the context";
    return admission;
  }
  admission.admitted = true;
  const std::int64_t room = limit - request.prompt_tokens;
  admission.max_tokens = std::min(request.max_tokens.value_or(room), room);
  // A power of two may exceed what could ever fit although the output itself fits.
  admission.reserve_tokens =
      std::min(reserved_tokens(request, settings.kv, admission.max_tokens, oracle), limit);
  return admission;
}

}  // namespace tokenyard
