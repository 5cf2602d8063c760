#include "engine/kernels/cpu_features.hpp"

#include <gtest/gtest.h>

#include <memory>

namespace tokenyard {
namespace {

#if defined(__x86_64__)
// Would catch: a bit read from the wrong register or place. (The compiler's library knows no way to
// ask for AMX.)
TEST(CpuLevel, AgreesWithTheCompilersOwnDetection) {
  const bool avx2 = __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
  const bool avx512 =
      avx2 && __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
      __builtin_cpu_supports("avx512vl") != 0 && __builtin_cpu_supports("avx512dq") != 0;
  const bool bf16 = avx512 && __builtin_cpu_supports("avx512bf16") != 0;
  EXPECT_EQ(cpu_level() >= CpuLevel::avx2, avx2);
  EXPECT_EQ(cpu_level() >= CpuLevel::avx512, avx512);
  EXPECT_EQ(cpu_level() >= CpuLevel::avx512_bf16, bf16);
}
#endif

// Would catch: a cap that raises the level, outlives its scope, or is lifted by an inner one.
TEST(CpuLevel, CapsNest) {
  const CpuLevel whole = cpu_level();
  {
    const CpuLevelCap none(CpuLevel::amx_bf16);
    EXPECT_EQ(cpu_level(), whole);
    const CpuLevelCap lowest(CpuLevel::baseline);
    EXPECT_EQ(cpu_level(), CpuLevel::baseline);
    {
      const CpuLevelCap higher(CpuLevel::avx2);
      EXPECT_EQ(cpu_level(), CpuLevel::baseline);
    }
    EXPECT_EQ(cpu_level(), CpuLevel::baseline);
  }
  EXPECT_EQ(cpu_level(), whole);
}

}  // namespace
}  // namespace tokenyard
