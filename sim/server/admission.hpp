#pragma once

#include <cstdint>
#include <string_view>

#include "sim/ports/output_oracle.hpp"
#include "sim/ports/request.hpp"
#include "sim/server/settings.hpp"

namespace tokenyard {

/// What admission settles about a request, once.
struct Admission {
  bool admitted = false;
  std::string_view reason;          ///< why it was rejected
  std::int64_t max_tokens = 0;      ///< the client's, or what the context or pool leaves
  std::int64_t reserve_tokens = 0;  ///< tokens reserved on entry; 0 = page by page
};

/// Rejects what can never fit: a prompt that leaves no room for a token, or a true total (known to
/// the oracle, where there is one) beyond the context or the pool (DESIGN §3, timing rules).
Admission admit(const Request& request, const ServerSettings& settings, const OutputOracle* oracle);

}  // namespace tokenyard
