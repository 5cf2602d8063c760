#pragma once

#include <cstdint>
#include <optional>

#include "sim/kernel/time.hpp"
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
  std::int32_t priority = 0;  ///< smaller is more urgent, as in vLLM
};

}  // namespace tokenyard
