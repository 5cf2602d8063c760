#pragma once
// Hugging Face's tokenizer files give their patterns in the syntax of Oniguruma (Ruby's); we run
// them with PCRE2.

#include <string>
#include <string_view>

namespace tokenyard {

/// The same pattern in the syntax of PCRE2. A nested set becomes part of its set, and \s becomes
/// the characters of Unicode's White_Space (PCRE2's \s has U+180E too, which Oniguruma's has not).
/// What the two read differently, or only one of them knows, is an `InputError`: line anchors, \w,
/// \b, \h, set intersections, options but (?i:…), `{n}?` and `{n}+`, verbs, recursion. `place`
/// names the pattern in messages.
std::string pcre2_of_oniguruma(std::string_view pattern, std::string_view place);

}  // namespace tokenyard
