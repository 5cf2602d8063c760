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
/// The running number of an iteration, from 0.
enum class IterationId : std::uint64_t {};
/// The running number of a copy of KV blocks between device and host, from 0.
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
constexpr std::uint64_t index(IterationId id) {
  return static_cast<std::uint64_t>(id);
}
constexpr std::uint64_t index(CopyId id) {
  return static_cast<std::uint64_t>(id);
}

}  // namespace tokenyard
