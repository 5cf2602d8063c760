#include "engine/kernels/cpu_features.hpp"

#include <atomic>

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace tokenyard {
namespace {

#if defined(__x86_64__)

struct Registers {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
};

/// All zero for a leaf that the CPU does not have.
Registers cpuid(unsigned leaf, unsigned subleaf) {
  Registers found;
  if (__get_cpuid_count(leaf, subleaf, &found.eax, &found.ebx, &found.ecx, &found.edx) == 0) {
    return {};
  }
  return found;
}

constexpr bool has(unsigned word, unsigned bits) {
  return (word & bits) == bits;
}

/// The register states that the operating system saves for threads (XCR0).
unsigned saved_states() {
  constexpr unsigned kOsxsave = 1U << 27U;
  if (!has(cpuid(1, 0).ecx, kOsxsave)) return 0;
  unsigned low = 0, high = 0;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

/// Linux lends the tiles' large state only to a process that asks for it.
bool tiles_permitted() {
  constexpr long kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr long kTileData = 18;               // XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

/// Bits as in Intel's Software Developer's Manual, volume 2, CPUID leaves 1 and 7, and volume 1,
/// chapter 13 (XCR0).
CpuLevel detect() {
  constexpr unsigned kYmm = 0x6, kZmm = 0xe6, kTiles = 0x60000;
  constexpr unsigned kFma = 1U << 12U, kF16c = 1U << 29U;
  constexpr unsigned kAvx2 = 1U << 5U;
  constexpr unsigned kAvx512 = 1U << 16U | 1U << 17U | 1U << 30U | 1U << 31U;  // F, DQ, BW, VL
  constexpr unsigned kAvx512Bf16 = 1U << 5U;
  constexpr unsigned kAmx = 1U << 22U | 1U << 24U;  // bf16, tiles
  const unsigned saved = saved_states();
  const Registers basic = cpuid(1, 0), extended = cpuid(7, 0), more = cpuid(7, 1);
  if (!has(saved, kYmm) || !has(basic.ecx, kFma | kF16c) || !has(extended.ebx, kAvx2)) {
    return CpuLevel::baseline;
  }
  if (!has(saved, kZmm) || !has(extended.ebx, kAvx512)) return CpuLevel::avx2;
  if (!has(more.eax, kAvx512Bf16)) return CpuLevel::avx512;
  if (!has(saved, kTiles) || !has(extended.edx, kAmx) || !tiles_permitted()) {
    return CpuLevel::avx512_bf16;
  }
  return CpuLevel::amx_bf16;
}

#else

CpuLevel detect() {
  return CpuLevel::baseline;
}

#endif

std::atomic<CpuLevel> cap{CpuLevel::amx_bf16};

}  // namespace

CpuLevel cpu_level() {
  static const CpuLevel detected = detect();
  const CpuLevel most = cap.load(std::memory_order_relaxed);
  return detected < most ? detected : most;
}

std::string_view cpu_level_name(CpuLevel level) {
  switch (level) {
    case CpuLevel::baseline:
      return "baseline";
    case CpuLevel::avx2:
      return "avx2";
    case CpuLevel::avx512:
      return "avx512";
    case CpuLevel::avx512_bf16:
      return "avx512_bf16";
    case CpuLevel::amx_bf16:
      return "amx_bf16";
  }
  return "?";
}

CpuLevelCap::CpuLevelCap(CpuLevel most) : before_(cap.load()) {
  cap.store(most < before_ ? most : before_);
}

CpuLevelCap::~CpuLevelCap() {
  cap.store(before_);
}

}  // namespace tokenyard
