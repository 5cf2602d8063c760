#pragma once
// Identifiers as types of their own, so that a block is never taken for a request.

#include <cstddef>
#include <cstdint>

namespace tokenyard {

/// Dense: the position in the stably arrival-sorted trace. A trace's own `id` is only a label.
enum class RequestId : std::uint32_t {};
/// A physical KV block of the device's or of the host's pool, 0 … total − 1.
enum class BlockId : std::uint32_t {};
/// Dense number of a tenant in the order of first appearance in the trace.
enum class TenantId : std::uint32_t {};
/// One of the servers behind a router, from 0; a server without a router is the first.
enum class ReplicaId : std::uint32_t {};
/// The running number of an iteration; those of a replica begin at its `first_number`.
enum class IterationId : std::uint64_t {};
/// The running number of a copy of KV blocks, likewise.
enum class CopyId : std::uint64_t {};

constexpr std::size_t index(RequestId id) {
  return static_cast<std::size_t>(id);
}
constexpr std::size_t index(BlockId id) {
  return static_cast<std::size_t>(id);
}
constexpr std::size_t index(TenantId id) {
  return static_cast<std::size_t>(id);
}
constexpr std::size_t index(ReplicaId id) {
  return static_cast<std::size_t>(id);
}
constexpr std::uint64_t index(IterationId id) {
  return static_cast<std::uint64_t>(id);
}
constexpr std::uint64_t index(CopyId id) {
  return static_cast<std::uint64_t>(id);
}

/// Bits of the numbers of iterations and copies that count within a replica.
inline constexpr int kNumberBits = 40;
/// The number of a replica's first iteration, and of its first copy.
constexpr std::uint64_t first_number(ReplicaId replica) {
  return static_cast<std::uint64_t>(replica) << kNumberBits;
}
constexpr ReplicaId replica_of(IterationId id) {
  return static_cast<ReplicaId>(index(id) >> kNumberBits);
}
constexpr ReplicaId replica_of(CopyId id) {
  return static_cast<ReplicaId>(index(id) >> kNumberBits);
}
/// Its number within its replica, from 0.
constexpr std::uint64_t number_in_replica(IterationId id) {
  return index(id) & ((std::uint64_t{1} << kNumberBits) - 1);
}

}  // namespace tokenyard
