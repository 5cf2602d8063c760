#include "sim/kernel/rng.hpp"

namespace tokenyard {

Rng named_stream(std::uint64_t seed, std::string_view name, std::uint64_t key) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;  // FNV-1a over the name
  for (const char c : name) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  }
  // Each part passes through the mixer of its own, so that (seed, key) pairs do not collide.
  std::uint64_t state = Rng(seed)();
  state = Rng(state ^ hash)();
  state = Rng(state ^ key)();
  return Rng(state);
}

}  // namespace tokenyard
