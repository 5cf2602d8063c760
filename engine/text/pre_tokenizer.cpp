#include "engine/text/pre_tokenizer.hpp"

#include <cstddef>

#include "engine/text/nfc.hpp"

namespace tokenyard {

namespace {

std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string out;
  for (std::size_t at = 0;;) {
    const std::size_t found = text.find(from, at);
    out += text.substr(at, found - at);
    if (found == std::string_view::npos) return out;
    out += to;
    at = found + from.size();
  }
}

}  // namespace

std::string normalized(std::string_view text, std::span<const NormalizerStep> steps) {
  std::string out(text);
  for (const NormalizerStep& step : steps) {
    if (!out.empty()) out.insert(0, step.prepend);
    if (!step.replace.empty()) out = replaced(out, step.replace, step.by);
    if (step.nfc) out = nfc(out);
  }
  return out;
}

void pre_tokenize(std::string_view text, std::span<const PreTokenizerStep> steps,
                  const std::function<void(std::string_view)>& take) {
  if (text.empty()) return;
  if (steps.empty()) return take(text);
  const PreTokenizerStep& step = steps.front();
  std::string with_space;
  if (step.prefix_space && !text.starts_with(' ')) {
    with_space = ' ';
    with_space += text;
    text = with_space;
  }
  if (!step.pattern) return pre_tokenize(text, steps.subspan(1), take);
  step.pattern->split(text, [&](std::string_view part, SplitPattern::Part kind) {
    if (step.dropped != kind) pre_tokenize(part, steps.subspan(1), take);
  });
}

}  // namespace tokenyard
