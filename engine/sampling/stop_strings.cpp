#include "engine/sampling/stop_strings.hpp"

#include <algorithm>

namespace tokenyard {

namespace {

/// How many bytes of the pattern a text ends with, after one more byte; it ended with `matched`,
/// not all of them.
std::int32_t advance(const StopStrings::Pattern& pattern, std::int32_t matched, char byte) {
  const auto at = [&](std::int32_t i) { return pattern.text[static_cast<std::size_t>(i)]; };
  const auto border = [&](std::int32_t i) { return pattern.borders[static_cast<std::size_t>(i)]; };
  while (matched > 0 && at(matched) != byte) matched = border(matched);
  return at(matched) == byte ? matched + 1 : 0;
}

}  // namespace

StopStrings::StopStrings(std::span<const std::string> texts) {
  for (const std::string& text : texts) {
    Pattern& pattern = patterns_.emplace_back(Pattern{text, {0, 0}});
    for (std::size_t i = 1; i < text.size(); ++i) {
      pattern.borders.push_back(advance(pattern, pattern.borders[i], text[i]));
    }
  }
}

/// The end of the text that may yet become a stop string: the beginning of the one matched
/// furthest.
std::string_view StopMatcher::held() const {
  std::string_view longest;
  for (std::size_t i = 0; i < matched_.size(); ++i) {
    const std::string_view text = strings_->patterns()[i].text;
    const auto matched = static_cast<std::size_t>(matched_[i]);
    if (matched > longest.size()) longest = text.substr(0, matched);
  }
  return longest;
}

std::optional<std::size_t> StopMatcher::add(std::string_view text, bool may_stop,
                                            std::string& out) {
  out += held();
  const auto patterns = strings_->patterns();
  for (const char byte : text) {
    out += byte;
    std::optional<std::size_t> found;
    for (std::size_t i = 0; i < patterns.size(); ++i) {
      matched_[i] = advance(patterns[i], matched_[i], byte);
      const std::size_t size = patterns[i].text.size();
      if (static_cast<std::size_t>(matched_[i]) < size) continue;
      if (may_stop && (!found || size > patterns[*found].text.size())) found = i;
      matched_[i] = patterns[i].borders.back();
    }
    if (!found) continue;
    out.resize(out.size() - patterns[*found].text.size());
    std::fill(matched_.begin(), matched_.end(), 0);
    return found;
  }
  out.resize(out.size() - held().size());
  return std::nullopt;
}

void StopMatcher::release(std::string& out) {
  out += held();
  std::fill(matched_.begin(), matched_.end(), 0);
}

}  // namespace tokenyard
