#include "engine/kernels/huge_buffer.hpp"

#include <cstdlib>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace tokenyard {
namespace {

constexpr std::size_t kCacheLine = 64;
constexpr std::size_t kHugePage = std::size_t{2} << 20U;

}  // namespace

HugeBuffer::HugeBuffer(std::size_t bytes) : bytes_(bytes) {
  if (bytes == 0) return;
  const std::size_t unit = bytes < kHugePage ? kCacheLine : kHugePage;
  if (bytes > SIZE_MAX - unit) throw std::bad_alloc();
  const std::size_t whole = (bytes + unit - 1) / unit * unit;
  memory_.reset(static_cast<std::byte*>(std::aligned_alloc(unit, whole)));
  if (!memory_) throw std::bad_alloc();
#if defined(__linux__)
  // Only advice: without huge pages it is slower, not wrong.
  if (unit == kHugePage) (void)madvise(memory_.get(), whole, MADV_HUGEPAGE);
#endif
}

void HugeBuffer::Free::operator()(std::byte* memory) const {
  std::free(memory);
}

}  // namespace tokenyard
