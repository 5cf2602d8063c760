#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "engine/engine.hpp"
#include "engine/engine_model.hpp"
#include "engine/live_executor.hpp"
#include "sim/kernel/clock.hpp"

namespace tokenyard {

/// One sequence's part in a made-up iteration.
struct ProbeSequence {
  std::int64_t computed = 0;    ///< tokens already in the KV cache
  std::int64_t new_tokens = 1;  ///< tokens computed now
  bool yields = true;           ///< a token is chosen from what they give
};

/// Measures how long made-up iterations and copies take on the executor of live runs, from their
/// begin until the loop has been woken: what a live run is charged, but for the scheduler's own
/// pass. Prompts are drawn evenly from the vocabulary and tokens sampled at temperature 1, as in
/// replays of traces. Owns its KV pools and threads; refers to the model, which nothing else may
/// use meanwhile. One thread.
class EngineProbe {
 public:
  /// `blocks` of `block_tokens` on the device and on the host, at least 1. All are written once.
  /// Throws `InputError` if the system refuses the memory.
  EngineProbe(EngineModel& model, std::int32_t block_tokens, std::int64_t blocks);

  /// Carries one out. The sequences' contexts fit into the model's and, in whole blocks, into the
  /// pool together.
  Duration iteration(std::span<const ProbeSequence> sequences);

  /// Copies so many blocks, at most all.
  Duration copy(std::int64_t blocks, CopyDirection direction);

  std::int64_t blocks() const { return static_cast<std::int64_t>(blocks_.size()); }

 private:
  /// Makes up requests whose prompts are as long as they are asked to be.
  class Requests final : public RequestSource {
   public:
    explicit Requests(std::int32_t vocabulary) : vocabulary_(vocabulary) {}
    EngineRequest request(RequestId id) override;

    std::vector<std::int64_t> prompt_tokens;  ///< of the iteration's requests
    std::uint32_t first_id = 0;               ///< of them

   private:
    std::int32_t vocabulary_;
  };

  Duration carry_out(const Iteration& iteration);

  std::int64_t block_tokens_;
  KvCache cache_;
  Requests requests_;
  Engine engine_;
  WallClock clock_;
  Events events_;
  std::vector<Events::Event> due_;
  std::vector<BlockId> blocks_;
  std::uint32_t next_id_ = 0;
  LiveExecutor executor_;  // last: its threads use what is above
};

}  // namespace tokenyard
