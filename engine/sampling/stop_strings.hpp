#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tokenyard {

/// The stop strings of a request, prepared for matching (Knuth, Morris and Pratt, "Fast pattern
/// matching in strings", SIAM J. Comput. 6, 1977). Immutable; safe to share.
class StopStrings {
 public:
  struct Pattern {
    std::string text;  ///< UTF-8, not empty
    /// For each beginning of the text, how many of its last bytes are the text's first ones (fewer
    /// than all).
    std::vector<std::int32_t> borders;
  };

  explicit StopStrings(std::span<const std::string> texts);

  bool empty() const { return patterns_.empty(); }
  std::span<const Pattern> patterns() const { return patterns_; }

 private:
  std::vector<Pattern> patterns_;
};

/// Looks for the stop strings in one sequence's text as it comes. Matching is by byte, and cuts no
/// character of a UTF-8 text since its characters do not overlap. However the text is cut into
/// pieces, the same is found. A value type; refers to the strings.
class StopMatcher {
 public:
  explicit StopMatcher(const StopStrings& strings)
      : strings_(&strings), matched_(strings.patterns().size()) {}

  /// Takes the next piece of text and appends to `out` all that is now known to be output. Where
  /// a stop string ends in the piece, that is the text before it, and what follows is dropped: the
  /// one that ends first counts, of several that end together the longest; returns which. What may
  /// be the beginning of a stop string is held back. Unless `may_stop`, strings that end in this
  /// piece are passed over as any text. O(bytes x strings), amortised.
  std::optional<std::size_t> add(std::string_view text, bool may_stop, std::string& out);

  /// The sequence has ended otherwise: appends what is held back.
  void release(std::string& out);

 private:
  std::string_view held() const;

  const StopStrings* strings_;
  std::vector<std::int32_t> matched_;  // of each string, its bytes that the text ends with
};

}  // namespace tokenyard
