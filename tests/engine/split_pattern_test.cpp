#include "engine/text/split_pattern.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "engine/text/oniguruma_pattern.hpp"
#include "engine/text/pre_tokenizer.hpp"
#include "tests/support/tokenizer_files.hpp"

namespace tokenyard::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Syntax = SplitPattern::Syntax;
using Part = SplitPattern::Part;

/// The parts with brackets around matches and braces around malformed bytes.
std::string parts(const std::string& pattern, std::string_view text,
                  Syntax syntax = Syntax::oniguruma) {
  std::string all;
  SplitPattern(pattern, syntax, "p").split(text, [&](std::string_view part, Part kind) {
    const std::string inner(part);
    all += kind == Part::match ? "[" + inner + "]" : kind == Part::gap ? inner : "{" + inner + "}";
  });
  return all;
}

std::string pattern_refusal(const std::string& pattern) {
  return refusal([&] { SplitPattern(pattern, Syntax::oniguruma, "t.json"); });
}

// Would catch: parts lost at an end, empty parts, and matches of nothing that never end.
TEST(SplitPattern, PartsAreTheText) {
  EXPECT_EQ(parts("b+", "abbcb"), "a[bb]c[b]");
  EXPECT_EQ(parts("b+", ""), "");
  EXPECT_EQ(parts("b*", "abca"), "a[b]ca");
  EXPECT_EQ(parts("a|", "xax"), "x[a]x");
  EXPECT_EQ(parts("(?=a)", "bab"), "bab");
  EXPECT_EQ(parts("(?<=a)b", "bab"), "ba[b]") << "a match sees what came before it";
  EXPECT_EQ(parts("a.c", "abc a\nc", Syntax::literal), "abc a\nc");
  EXPECT_EQ(parts("a.c", "abca.c", Syntax::literal), "abc[a.c]");
}

// Would catch: malformed bytes handed to the pattern (undefined behaviour), dropped, or joined with
// text beside them.
TEST(SplitPattern, MalformedBytesAreAPartOfTheirOwn) {
  EXPECT_EQ(parts("\\p{L}+",
                  "ab\xFF\xC3"
                  "cd\xC3"),
            "[ab]{\xFF\xC3}[cd]{\xC3}");
  EXPECT_EQ(parts("\\s+(?!\\S)", "a  \xFF"), "a[  ]{\xFF}");
  EXPECT_EQ(parts("x", "\x80"), "{\x80}");
}

// Would catch: classes by ASCII only, white space of another definition (U+180E and U+200B are
// none, U+0085 is), and case ignored for ASCII only.
TEST(SplitPattern, ClassesAreUnicode) {
  EXPECT_EQ(parts("\\p{L}+", "é1你"), "[é]1[你]");
  EXPECT_EQ(parts("\\p{N}", "1½Ⅷ٣x"), "[1][½][Ⅷ][٣]x");
  EXPECT_EQ(parts("\\s", " \u0085\u00A0\u3000\u180E\u200B\x1C"),
            "[ ][\u0085][\u00A0][\u3000]\u180E\u200B\x1C");
  EXPECT_EQ(parts("[\\s]+", "a \u2003b"), "a[ \u2003]b");
  EXPECT_EQ(parts("\\S+", " a\u180E "), " [a\u180E] ");
  EXPECT_EQ(parts("[^\\S]", "a b"), "a[ ]b");
  EXPECT_EQ(parts("\\d", "1٣½"), "[1][٣]½");
  EXPECT_EQ(parts("(?i:'s)", "'s'S'\u017F"), "['s]['S]['\u017F]");
  EXPECT_EQ(parts("\\p{Han}", "你。"), "[你]。") << "U+3002 is Han only by script extension";
  EXPECT_EQ(parts("\\p{^L}", "a1"), "a[1]");
  EXPECT_EQ(parts("\\u4f60", "你"), "[你]");
}

// Would catch: BLOOM's set within a set read as PCRE2 would (a set, then a group's end), and
// hyphens that begin to mean a range when sets are joined.
TEST(OnigurumaPattern, SetsWithinSets) {
  EXPECT_EQ(parts("[^a[bc]d]+", "axxbyczd"), "a[xx]b[y]c[z]d");
  EXPECT_EQ(parts("[a[-z]]", "a-bz"), "[a][-]b[z]");
  EXPECT_EQ(parts("[a[y-]z]", "a-bz"), "[a][-]b[z]");
  EXPECT_EQ(parts("[[a-c][[x]]]", "abcxy"), "[a][b][c][x]y");
  EXPECT_EQ(parts("[-a]|[b-]", "-ab"), "[-][a][b]");
  EXPECT_EQ(pcre2_of_oniguruma("[\\[\\]]\\[a{2,3}", "p"), "[\\[\\]]\\[a{2,3}");
}

// Would catch: a pattern that is run although it means something else there than here.
TEST(OnigurumaPattern, WhatDiffersIsRefused) {
  for (const char* pattern :
       {"^a",      "a$",    "\\w",   "\\b",     "\\h",       "\\A",    "\\z",    "\\R",
        "\\X",     "\\K",   "\\1",   "\\x41",   "\\",        "(?m:a)", "(?i)a",  "(?#c)",
        "(?<n>a)", "(?R)",  "(?1)",  "(?C1)",   "(*ACCEPT)", "(*UTF)", "[a&&b]", "[[:alpha:]]",
        "[a[^b]]", "[]a]",  "[^]a]", "[a-[b]]", "[a",        "[a[b]",  "[\\w]",  "a{,2}",
        "a{2}+",   "a{2}?", "a{x}",  "a{",      "\\p{L",     "\\pL",   "\\u12",  "\\é"}) {
    EXPECT_THAT(pattern_refusal(pattern), HasSubstr("not supported")) << pattern;
  }
  EXPECT_THAT(pattern_refusal("^a"),
              testing::StartsWith("t.json: the pattern \"^a\" has a line anchor at byte 0"));
}

// Would catch: a broken pattern that is taken, or ends the program.
TEST(SplitPattern, WhatIsNoPatternIsRefused) {
  for (const char* pattern : {"(", ")", "a**", "*", "(?:a", "[z-a]", "\\p{Nonsense}", "\\p{Xx}",
                              "\xFF", "[\xC3]", "(?<=a+)b", "a{99999}"}) {
    EXPECT_THAT(pattern_refusal(pattern), HasSubstr("is not valid at byte")) << pattern;
  }
  EXPECT_THAT(pattern_refusal(""), HasSubstr("expected a pattern of 1 to"));
  EXPECT_THAT(pattern_refusal(std::string(20'000, 'a')), HasSubstr("expected a pattern of 1 to"));
  EXPECT_NE(pattern_refusal(std::string(5'000, '(') + "a" + std::string(5'000, ')')), "(accepted)");
  EXPECT_NE(pattern_refusal("((((a{1,999}){1,999}){1,999}){1,999}){1,999}"), "(accepted)");
}

// Would catch: a pattern whose steps double with each character (the test would not end), or one
// that eats the stack.
TEST(SplitPattern, StepsAndMemoryAreBounded) {
  const std::string letters(5000, 'a');
  EXPECT_THAT(refusal([&] { parts("(a+)+[bc]", letters); }),
              HasSubstr("matching the pattern failed"));
  EXPECT_THAT(refusal([&] { parts("(?:a|a)*[bc]", letters); }),
              HasSubstr("matching the pattern failed"));
  const std::string many(3'000'000, 'a');
  const std::string outcome = refusal([&] { parts("((a|b)(?=.))+[cd]", many); });
  EXPECT_TRUE(outcome == "(accepted)" || outcome.find("matching the pattern failed") == 3)
      << outcome;
}

// Would catch: a step that drops the wrong side, the space put to each part or to none, a
// replacement that reads its own output.
TEST(PreTokenizer, StepsFollowEachOther) {
  const auto pieces = [](std::string_view text, std::vector<PreTokenizerStep> steps) {
    std::vector<std::string> all;
    pre_tokenize(text, steps, [&](std::string_view piece) { all.emplace_back(piece); });
    return all;
  };
  const auto step = [](const char* pattern, std::optional<Part> dropped) {
    return PreTokenizerStep{false, SplitPattern(pattern, Syntax::oniguruma, "p"), dropped};
  };
  EXPECT_THAT(pieces("a,b\xFF", {step(",", std::nullopt)}), ElementsAre("a", ",", "b", "\xFF"));
  EXPECT_THAT(pieces("a,b\xFF", {step(",", Part::match)}), ElementsAre("a", "b", "\xFF"));
  EXPECT_THAT(pieces("a,b\xFF", {step(",", Part::gap)}), ElementsAre(",", "\xFF"));
  EXPECT_THAT(pieces("ab,c", {step(",", Part::match), step("a", std::nullopt)}),
              ElementsAre("a", "b", "c"));
  EXPECT_THAT(pieces("ab,c", {step(",", Part::match),
                              {.prefix_space = true, .pattern = {}, .dropped = {}}}),
              ElementsAre(" ab", " c"));
  EXPECT_THAT(pieces("", {{.prefix_space = true, .pattern = {}, .dropped = {}}}), ElementsAre());
  const std::vector<NormalizerStep> steps = {{"_", "", ""}, {"", "aa", "a"}};
  EXPECT_EQ(normalized("aaaab", steps), "_aab");
  EXPECT_EQ(normalized("", steps), "");
}

// Would catch: state shared between threads (with the thread sanitizer, or by wrong parts).
TEST(SplitPattern, ThreadsShareAPattern) {
  const SplitPattern pattern("\\p{L}+", Syntax::oniguruma, "p");
  std::vector<std::thread> threads;
  std::vector<int> counts(4);
  for (int& count : counts) {
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i) {
        pattern.split("a b c d",
                      [&](std::string_view, Part kind) { count += kind == Part::match; });
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_THAT(counts, testing::Each(2000));
}

}  // namespace
}  // namespace tokenyard::test
