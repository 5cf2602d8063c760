#pragma once
// Named random streams: a draw in one never shifts another.

#include <cstdint>
#include <limits>
#include <string_view>

namespace tokenyard {

/// A small random engine (SplitMix64: Steele, Lea and Flood, "Fast Splittable Pseudorandom Number
/// Generators", OOPSLA 2014). It meets the standard's uniform random bit generator, so the
/// distributions of Boost.Random draw from it (their algorithms are the same on every platform,
/// those of <random> are not). A value type; not safe to share between threads.
class Rng {
 public:
  using result_type = std::uint64_t;

  explicit Rng(std::uint64_t state) : state_(state) {}

  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return std::numeric_limits<result_type>::max(); }

  result_type operator()() {
    state_ += 0x9e3779b97f4a7c15ULL;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }

 private:
  std::uint64_t state_;
};

/// The stream `name` ("arrivals", "lengths", "predictor"…) of the run with this seed; `key` splits
/// it further, for instance by request.
Rng named_stream(std::uint64_t seed, std::string_view name, std::uint64_t key = 0);

}  // namespace tokenyard
