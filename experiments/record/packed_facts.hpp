#pragma once

#include <cstddef>
#include <cstdint>

#include "sim/ports/observer.hpp"

namespace tokenyard {

/// The most bytes that `pack` writes.
inline constexpr std::size_t kMostPackedBytes = 256;

/// Writes the facts of an ended request in few bytes (some 40 where it ran through undisturbed):
/// numbers are written as long as they are, times and phases as differences from what is usual.
/// Left out are its id, the reason of a refusal and the hashes of its prompt. Returns the number of
/// bytes. Any values pack, sensible or not.
std::size_t pack(const RequestFacts& facts, std::uint8_t* to);

/// The facts that were packed at `from`; the id is default.
RequestFacts unpack(const std::uint8_t* from);

}  // namespace tokenyard
