#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/model_config.hpp"
#include "engine/sampling/sampling_params.hpp"
#include "sim/ports/block_hash.hpp"
#include "sim/ports/ids.hpp"

namespace tokenyard {

/// What the engine must know of a request and the server need not. A value type.
struct EngineRequest {
  std::vector<Token> prompt;  ///< as many tokens as the server was told, at least one
  SamplingParams params;
  std::uint64_t seed = 0;  ///< of its samples, where the params have none
  /// The lengths that its outputs are to have, one a sequence (a trace's); then end tokens and stop
  /// texts are not heeded. Empty: the params decide.
  std::vector<std::int64_t> forced_tokens;
  /// Where the chain of its tokens begins, as in the hashes of its prompt (`chain_of(tenant)`): the
  /// blocks that its output fills are then named too, and a later prompt that continues this one
  /// finds them. None: nobody is expected to continue it, as with a trace, whose prompts were
  /// recorded before.
  BlockHash content_start = kNoHash;
};

/// Where the engine learns of a request that it is to run for the first time. Asked from the
/// thread that begins iterations.
class RequestSource {
 public:
  virtual ~RequestSource() = default;

  /// Throws `InputError` for one that cannot be run (a token that the vocabulary does not have).
  virtual EngineRequest request(RequestId id) = 0;
};

}  // namespace tokenyard
