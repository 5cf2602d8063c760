#include "engine/text/tokenizer_json_steps.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>

#include "engine/text/hugging_face_model.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

namespace {

/// Goes through the parts of `key`: none for null, those of a Sequence (their list's name differs
/// from kind to kind), or the one.
void each_part(const JsonObject& file, const char* key, const char* list_name,
               const std::function<void(const JsonObject&, const std::string& type)>& take) {
  if (!file.has_value(key)) return;
  const JsonObject whole = file.object(key);
  const std::string type = whole.string("type");
  if (type != "Sequence") return take(whole, type);
  for (const JsonObject& part : whole.objects(list_name)) take(part, part.string("type"));
}

[[noreturn]] void refuse_type(const JsonObject& part, std::string_view expected) {
  part.refuse("type", fmt::format("expected {}, found \"{}\", which is not supported", expected,
                                  printable(part.string("type"))));
}

/// Replace, in normalizers and decoders. A pattern that is a regular expression is refused, and so
/// is a text that would grow more than fourfold.
NormalizerStep read_replace(const JsonObject& part) {
  const JsonObject pattern = part.object("pattern");
  NormalizerStep step;
  step.replace = pattern.string("String");
  step.by = part.string("content");
  if (step.replace.empty()) pattern.refuse("String", "expected a text to replace, found \"\"");
  if (step.by.size() > 4 * step.replace.size()) {
    part.refuse("content", "expected a text of at most four times the length that it replaces");
  }
  return step;
}

PreTokenizerStep read_split(const JsonObject& part, const std::string& place) {
  const JsonObject pattern = part.object("pattern");
  const bool literal = pattern.has("String");
  PreTokenizerStep step;
  step.pattern = SplitPattern(
      pattern.string(literal ? "String" : "Regex"),
      literal ? SplitPattern::Syntax::literal : SplitPattern::Syntax::oniguruma, place);
  const bool inverted = part.flag_or("invert", false);
  if (part.choice("behavior", {"Isolated", "Removed"}) == "Removed") {
    step.dropped = inverted ? SplitPattern::Part::gap : SplitPattern::Part::match;
  }
  return step;
}

}  // namespace

std::vector<NormalizerStep> read_normalizer(const JsonObject& file) {
  std::vector<NormalizerStep> steps;
  bool changes = false;  // once, so that a text grows at most fourfold
  each_part(file, "normalizer", "normalizers", [&](const JsonObject& part, const auto& type) {
    if (type == "Prepend") {
      steps.push_back({.prepend = part.string("prepend"), .replace = "", .by = ""});
    } else if (type == "Replace" && !changes) {
      steps.push_back(read_replace(part));
      changes = true;
    } else if (type == "NFC" && !changes) {
      steps.push_back({.prepend = "", .replace = "", .by = "", .nfc = true});
      changes = true;
    } else {
      refuse_type(part, "no normalizer, Prepend, and one of Replace and NFC");
    }
  });
  return steps;
}

PreTokenizer read_pre_tokenizer(const JsonObject& file, const std::string& place) {
  constexpr std::size_t kStepsMost = 16;
  PreTokenizer result;
  each_part(file, "pre_tokenizer", "pretokenizers", [&](const JsonObject& part, const auto& type) {
    if (result.byte_level) part.refuse("type", "expected ByteLevel to be the last step");
    if (result.steps.size() == kStepsMost) part.refuse("type", "expected at most 16 steps");
    if (type == "Split") {
      result.steps.push_back(read_split(part, place));
    } else if (type == "ByteLevel") {
      PreTokenizerStep step;
      if (part.flag_or("use_regex", true)) step = byte_level_splitting(place);
      step.prefix_space = part.flag_or("add_prefix_space", true);
      result.steps.push_back(std::move(step));
      result.byte_level = true;
    } else {
      refuse_type(part, "Split or ByteLevel");
    }
  });
  return result;
}

Decoder read_decoder(const JsonObject& file) {
  Decoder decoder;
  each_part(file, "decoder", "decoders", [&](const JsonObject& part, const auto& type) {
    if (type == "ByteLevel") {
      decoder.byte_level = true;
    } else if (type == "ByteFallback") {
      decoder.byte_fallback = true;
    } else if (type == "Replace" && decoder.replace.replace.empty()) {
      decoder.replace = read_replace(part);
    } else if (type == "Strip") {
      part.choice("content", {" "});
      decoder.drops_first_space = part.integer("start", 0, 1) == 1;
      part.integer("stop", 0, 0);
    } else if (type != "Fuse") {
      refuse_type(part, "ByteLevel, ByteFallback, one Replace, Strip or Fuse");
    }
  });
  return decoder;
}

Template read_post_processor(const JsonObject& file, std::int64_t vocabulary) {
  Template result;
  each_part(file, "post_processor", "processors", [&](const JsonObject& part, const auto& type) {
    if (type == "ByteLevel") return;
    if (type != "TemplateProcessing") refuse_type(part, "ByteLevel or TemplateProcessing");
    const JsonObject tokens = part.object("special_tokens");
    std::vector<std::int64_t> before;
    bool text_seen = false;
    for (const JsonObject& element : part.objects("single")) {
      if (element.has("Sequence")) {
        if (text_seen) element.refuse("Sequence", "expected the text once");
        text_seen = true;
        continue;
      }
      const std::string name = element.object("SpecialToken").string("id");
      auto& list = text_seen ? result.after : before;
      for (const auto id : tokens.object(name).integers("ids", 0, vocabulary - 1)) {
        list.push_back(id);
      }
    }
    if (!text_seen) part.refuse("single", "expected the text once");
    result.before.insert(result.before.begin(), before.begin(), before.end());
  });
  return result;
}

}  // namespace tokenyard
