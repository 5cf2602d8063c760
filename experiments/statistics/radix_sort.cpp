#include "experiments/statistics/radix_sort.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>

namespace tokenyard {

namespace {

constexpr int kDigitBits = 11;  // its counters and the ends of its runs stay in the first cache
constexpr std::size_t kDigits = std::size_t{1} << kDigitBits;
constexpr int kWordBits = 64;

std::size_t digit(std::uint64_t word, int from) {
  return static_cast<std::size_t>(word >> from) & (kDigits - 1);
}

/// One stable pass by the digit that begins at bit `from`.
void pass(const std::vector<std::uint64_t>& words, std::vector<std::uint64_t>& to, int from) {
  std::array<std::size_t, kDigits> place{};
  for (const std::uint64_t word : words) ++place[digit(word, from)];
  std::size_t begin = 0;
  for (std::size_t& count : place) {
    const std::size_t size = count;
    count = begin;
    begin += size;
  }
  for (const std::uint64_t word : words) to[place[digit(word, from)]++] = word;
}

}  // namespace

void radix_sort(std::vector<std::uint64_t>& words, std::vector<std::uint64_t>& scratch,
                int low_bit) {
  constexpr std::size_t kFew = 512;  // below it, counting digits costs more than comparing
  scratch.resize(words.size());
  if (words.size() < kFew) {
    std::stable_sort(words.begin(), words.end(),
                     [&](std::uint64_t a, std::uint64_t b) { return a >> low_bit < b >> low_bit; });
    return;
  }
  std::uint64_t differing = 0;
  for (const std::uint64_t word : words) differing |= word ^ words.front();
  // Digits need not be aligned: each begins at the lowest bit left in which two words differ.
  for (int from = low_bit; from < kWordBits && differing >> from != 0; from += kDigitBits) {
    from += std::countr_zero(differing >> from);
    pass(words, scratch, from);
    words.swap(scratch);
  }
}

}  // namespace tokenyard
