#pragma once

#include <cstdint>

#include "sim/kernel/time.hpp"

namespace tokenyard {

/// The shape of a batch (vLLM's names; rules in docs/architecture.md, "Timing rules").
struct Limits {
  std::int64_t max_num_seqs = 256;             ///< sequences in an iteration, at least 1
  std::int64_t max_num_batched_tokens = 2048;  ///< new tokens in an iteration, at least 1
  std::int64_t chunk_tokens = 0;     ///< most prompt tokens of one request an iteration; 0 = whole
  bool static_batching = false;      ///< a batch runs until its longest member ends
  bool look_past = false;            ///< go on past a request that does not fit
  std::int64_t max_waiting = 0;      ///< most requests that wait for their first turn; 0 = no limit
  std::int64_t max_preemptions = 0;  ///< most times a request loses its KV; 0 = no limit
  std::int64_t max_model_len = 0;    ///< context: prompt and output together; 0 = no limit
};

/// How much memory a request is given when it is admitted.
enum class Reserve : std::uint8_t {
  paged,  ///< page by page (vLLM)
  whole,  ///< prompt + max_tokens (Orca, OSDI 2022)
  pow2,   ///< prompt + the true output rounded up to a power of two (vLLM paper §6.1; clairvoyant)
  oracle  ///< prompt + the true output (vLLM paper §6.1; clairvoyant)
};

/// What becomes of a request whose blocks another needs.
enum class Evict : std::uint8_t {
  recompute,  ///< its KV is dropped and computed again later
  swap,       ///< its KV is copied to the host, as long as there is room
  cheaper     ///< whichever takes less time by the advising cost model, host room permitting
};

/// In which order proactive swapping moves requests.
enum class SwapOrder : std::uint8_t {
  next_scheduled,  ///< by the policy's estimate of when they run next (FastServe's paper)
  ranking          ///< the worst-ranked out first, the best-ranked in first (its published code)
};

/// KV memory.
struct KvSettings {
  std::int64_t block_size = 16;    ///< tokens a block, at least 1
  std::int64_t device_blocks = 0;  ///< at least 1
  std::int64_t host_blocks = 0;    ///< for swapped KV
  Reserve reserve = Reserve::paged;
  Evict evict = Evict::recompute;
  bool proactive_swap = false;  ///< copy out and in ahead of need
  SwapOrder swap_order = SwapOrder::next_scheduled;
  bool prefix_caching = false;      ///< a request starts on the blocks of a prompt already known
  bool admit_whole_prompt = false;  ///< a request enters only with blocks for its whole prompt
  double watermark = 0;  ///< share of the pool kept free when a request without blocks enters, and
                         ///< the idle blocks that proactive swapping keeps for bursts
  /// Where positive, the watermark is instead what the prompts of the arrivals of so long need, at
  /// most a quarter of the pool.
  Duration watermark_window{0};
};

struct ServerSettings {
  Limits limits;
  KvSettings kv;
  bool macro_steps = true;  ///< let executors repeat an iteration where nothing else can happen
};

}  // namespace tokenyard
