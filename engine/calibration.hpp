#pragma once

#include "engine/engine_model.hpp"
#include "sim/kernel/time.hpp"

namespace tokenyard {

/// What a few steps of the engine took: enough to advise a policy, not to be simulated with (that
/// is what a profile is for).
struct Calibration {
  Duration iteration{0};        ///< of any iteration
  Duration prefill_token{0};    ///< of a prompt token
  Duration decode_sequence{0};  ///< of a decoding sequence
  Duration copy_block{0};       ///< of a KV block copied to or from the host
};

/// Runs a prompt of 64 tokens and decodes of one and of eight sequences, each a few times, and
/// takes the fastest. Some tens of milliseconds for a small model.
Calibration calibrate(EngineModel& model, std::int32_t block_tokens);

}  // namespace tokenyard
