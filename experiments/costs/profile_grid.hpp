#pragma once
// Which iterations a profile measures.

#include <cstdint>
#include <vector>

#include "engine/engine_probe.hpp"
#include "sim/ports/cost_model.hpp"

namespace tokenyard {

/// What a profile may ask of the engine.
struct ProfileLimits {
  std::int64_t context = 0;             ///< most tokens of a sequence
  std::int64_t max_sequences = 0;       ///< of a batch
  std::int64_t max_batched_tokens = 0;  ///< new tokens of an iteration
  std::int64_t block_tokens = 16;
  std::int64_t blocks = 0;  ///< of the KV pool, for all sequences of an iteration
};

/// The part of the table that a point is of.
enum class ProfilePart : std::uint8_t { tokens, prefill, decode, held_out };

/// One iteration to measure.
struct ProfilePoint {
  ProfilePart part = ProfilePart::tokens;
  double x = 0;  ///< tokens; a chunk; sequences
  double y = 0;  ///< of a prefill the tokens before it, of decodes the context of each
  std::vector<ProbeSequence> sequences;
  IterationLoad load;
};

/// The designed grid, in powers of two and their middles:
/// - tokens: so many prompt tokens with next to nothing to attend to (chunks of up to 16 that begin
///   their prompts and yield nothing);
/// - prefill: one prompt or chunk, that yields, behind more and more of its context;
/// - decode: batches of equals at more and more context;
/// - held out: mixed batches of unequal chunks and decodes, as serving makes them, drawn from the
///   stream "held-out"; nothing is fitted to them.
/// Precondition: room for one sequence of two tokens at least.
std::vector<ProfilePoint> profile_grid(const ProfileLimits& limits, std::uint64_t seed);

/// The sequences' load as a scheduler would book it: one that yields a token from one is a decode.
IterationLoad load_of(const std::vector<ProbeSequence>& sequences);

}  // namespace tokenyard
