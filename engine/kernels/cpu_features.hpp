#pragma once

#include <cstdint>
#include <string_view>

namespace tokenyard {

/// What kernels may use, each level with all below it. A CPU that lacks one level counts as having
/// none above it, which holds for all that are sold.
enum class CpuLevel : std::uint8_t {
  baseline,     ///< any CPU that the program was built for
  avx2,         ///< AVX2, FMA and F16C
  avx512,       ///< AVX-512 F, BW, VL and DQ
  avx512_bf16,  ///< dot products of pairs of bf16
  amx_bf16,     ///< matrix tiles of bf16
};

/// The highest level that this CPU and operating system offer, but no higher than the cap of a
/// living `CpuLevelCap`. For AMX the first call asks the system for permission, for the whole
/// process. Safe to call from any thread.
CpuLevel cpu_level();

std::string_view cpu_level_name(CpuLevel level);

/// While it lives, `cpu_level()` is at most `most`: "as if the CPU had only …". It decides which
/// kernels are chosen from then on, not those chosen before. For tests and comparisons; caps end in
/// the reverse order of their beginning.
class CpuLevelCap {
 public:
  explicit CpuLevelCap(CpuLevel most);
  ~CpuLevelCap();
  CpuLevelCap(const CpuLevelCap&) = delete;
  CpuLevelCap& operator=(const CpuLevelCap&) = delete;

 private:
  CpuLevel before_;
};

}  // namespace tokenyard
