#include "engine/text/split_pattern.hpp"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <fmt/format.h>
#include <pcre2.h>

#include <array>
#include <cstddef>
#include <new>

#include "engine/text/oniguruma_pattern.hpp"
#include "engine/text/utf8.hpp"
#include "sim/kernel/input_error.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

namespace {

constexpr std::size_t kPatternBytesMost = 10'000;
// A match may look at each character a few times; a pattern whose steps grow faster than the text
// is stopped. The memory bounds nested repetitions.
constexpr std::size_t kStepsLeast = 1'000'000;
constexpr std::size_t kStepsPerByte = 16;
constexpr std::uint32_t kHeapKibibytesMost = 64 * 1024;

PCRE2_SPTR units(std::string_view text) {
  return reinterpret_cast<PCRE2_SPTR>(text.data());
}

std::string message_of(int error) {
  std::array<PCRE2_UCHAR, 256> text{};
  pcre2_get_error_message(error, text.data(), text.size());
  return reinterpret_cast<const char*>(text.data());
}

using CompileContext = std::unique_ptr<pcre2_compile_context, void (*)(pcre2_compile_context*)>;
using MatchContext = std::unique_ptr<pcre2_match_context, void (*)(pcre2_match_context*)>;
using MatchData = std::unique_ptr<pcre2_match_data, void (*)(pcre2_match_data*)>;

template <typename Owner>
Owner present(Owner owner) {
  if (owner == nullptr) throw std::bad_alloc();
  return owner;
}

std::shared_ptr<const pcre2_code> compile(std::string_view pattern, std::uint32_t options,
                                          const std::string& place) {
  const CompileContext context =
      present(CompileContext(pcre2_compile_context_create(nullptr), pcre2_compile_context_free));
  pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);
  int error = 0;
  std::size_t at = 0;
  pcre2_code* code =
      pcre2_compile(units(pattern), pattern.size(), options, &error, &at, context.get());
  if (code == nullptr) {
    throw InputError(fmt::format("{}: the pattern \"{}\" is not valid at byte {}: {}", place,
                                 printable(pattern), at, message_of(error)));
  }
  std::shared_ptr<const pcre2_code> owned(
      code, [](const pcre2_code* all) { pcre2_code_free(const_cast<pcre2_code*>(all)); });
  // Where the system allows no generated code, this fails and matches are interpreted instead.
  pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
  return owned;
}

}  // namespace

SplitPattern::SplitPattern(std::string_view pattern, Syntax syntax, std::string place)
    : place_(std::move(place)) {
  if (pattern.empty() || pattern.size() > kPatternBytesMost) {
    throw InputError(fmt::format("{}: expected a pattern of 1 to {} bytes, found {}", place_,
                                 kPatternBytesMost, pattern.size()));
  }
  if (syntax == Syntax::literal) {
    code_ = compile(pattern, PCRE2_UTF | PCRE2_LITERAL, place_);
  } else {
    code_ = compile(pcre2_of_oniguruma(pattern, place_), PCRE2_UTF | PCRE2_UCP, place_);
  }
}

void SplitPattern::split(std::string_view text,
                         const std::function<void(std::string_view, Part)>& take) const {
  const MatchData match = present(
      MatchData(pcre2_match_data_create_from_pattern(code_.get(), nullptr), pcre2_match_data_free));
  const MatchContext context =
      present(MatchContext(pcre2_match_context_create(nullptr), pcre2_match_context_free));
  const std::size_t steps = kStepsLeast + kStepsPerByte * text.size();
  pcre2_set_match_limit(context.get(),
                        static_cast<std::uint32_t>(std::min<std::size_t>(steps, 0xFFFFFFFFU)));
  pcre2_set_heap_limit(context.get(), kHeapKibibytesMost);

  while (!text.empty()) {
    const std::string_view valid = text.substr(0, utf8_valid_bytes(text));
    std::size_t taken = 0;
    while (taken < valid.size()) {
      // The text was checked above, and an empty match would cut nothing.
      const int found =
          pcre2_match(code_.get(), units(valid), valid.size(), taken,
                      PCRE2_NO_UTF_CHECK | PCRE2_NOTEMPTY, match.get(), context.get());
      if (found == PCRE2_ERROR_NOMATCH) break;
      if (found < 0) {
        throw InputError(fmt::format("{}: matching the pattern failed at byte {} of {}: {}", place_,
                                     taken, valid.size(), message_of(found)));
      }
      const std::size_t* ends = pcre2_get_ovector_pointer(match.get());
      if (ends[0] > taken) take(valid.substr(taken, ends[0] - taken), Part::gap);
      take(valid.substr(ends[0], ends[1] - ends[0]), Part::match);
      taken = ends[1];
    }
    if (taken < valid.size()) take(valid.substr(taken), Part::gap);
    text.remove_prefix(valid.size());
    const std::string_view invalid = text.substr(0, utf8_invalid_bytes(text));
    if (!invalid.empty()) take(invalid, Part::malformed);
    text.remove_prefix(invalid.size());
  }
}

}  // namespace tokenyard
