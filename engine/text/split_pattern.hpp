#pragma once
// Cutting a text at the matches of a pattern.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

struct pcre2_real_code_8;

namespace tokenyard {

/// A compiled pattern. A value type whose copies share the compiled form; read-only use is
/// thread-safe. Unicode properties are those of the installed PCRE2 (Unicode 14 in Debian 12), so
/// letters that later versions added count as unassigned.
class SplitPattern {
 public:
  enum class Syntax : std::uint8_t { oniguruma, literal };
  enum class Part : std::uint8_t {
    match,
    gap,        ///< between matches
    malformed,  ///< not UTF-8
  };

  /// `place` names the pattern in messages. Throws `InputError` for a pattern that cannot be
  /// compiled or means something else to PCRE2 (see oniguruma_pattern.hpp).
  SplitPattern(std::string_view pattern, Syntax syntax, std::string place);

  /// Gives all parts of the text in order, matches and what lies between them; no part is empty,
  /// and together they are the text. Bytes that are not well-formed UTF-8 are a part of their own,
  /// and the pattern sees the text end before them. Throws `InputError` when a match takes more
  /// steps than any sensible pattern needs.
  void split(std::string_view text,
             const std::function<void(std::string_view part, Part kind)>& take) const;

 private:
  std::shared_ptr<const pcre2_real_code_8> code_;
  std::string place_;
};

}  // namespace tokenyard
