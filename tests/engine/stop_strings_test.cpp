#include "engine/sampling/stop_strings.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "sim/kernel/rng.hpp"

namespace tokenyard {
namespace {

struct Outcome {
  std::string text;
  std::optional<std::size_t> found;
  bool operator==(const Outcome&) const = default;
};

void PrintTo(const Outcome& outcome, std::ostream* to) {
  *to << '"' << outcome.text << "\" " << (outcome.found ? static_cast<int>(*outcome.found) : -1);
}

/// The text is fed in these pieces; what is shown must never be taken back.
Outcome feed(const std::vector<std::string>& stops, const std::vector<std::string>& pieces) {
  const StopStrings strings(stops);
  StopMatcher matcher(strings);
  Outcome outcome;
  for (const std::string& piece : pieces) {
    const std::string before = outcome.text;
    outcome.found = matcher.add(piece, true, outcome.text);
    EXPECT_TRUE(outcome.text.starts_with(before)) << before << " became " << outcome.text;
    if (outcome.found) return outcome;
  }
  matcher.release(outcome.text);
  return outcome;
}

/// By looking at the whole text after each byte.
Outcome reference(const std::vector<std::string>& stops, const std::string& text) {
  for (std::size_t end = 1; end <= text.size(); ++end) {
    const std::string so_far = text.substr(0, end);
    std::optional<std::size_t> found;
    for (std::size_t i = 0; i < stops.size(); ++i) {
      const bool ends = so_far.ends_with(stops[i]);
      if (ends && (!found || stops[i].size() > stops[*found].size())) found = i;
    }
    if (found) return {so_far.substr(0, end - stops[*found].size()), found};
  }
  return {text, std::nullopt};
}

// Would catch: a stop string that is not seen where tokens meet, and text after it that is kept.
TEST(StopMatcher, FindsStringsAcrossPieces) {
  EXPECT_EQ(feed({"END"}, {"the E", "N", "D of it"}), (Outcome{"the ", 0}));
  EXPECT_EQ(feed({"END"}, {"END"}), (Outcome{"", 0}));
  EXPECT_EQ(feed({"END"}, {"EN", "EN", "D!"}), (Outcome{"EN", 0}));
  EXPECT_EQ(feed({"END"}, {"the E", "N"}), (Outcome{"the EN", std::nullopt}));
  EXPECT_EQ(feed({"x", "\n\n"}, {"a\n", "", "\nb"}), (Outcome{"a", 1}));
}

// Would catch: the first string of the list preferred to the one that ends first, or the shorter of
// two that end together.
TEST(StopMatcher, TheFirstToEndCountsThenTheLongest) {
  EXPECT_EQ(feed({"abcd", "bc"}, {"xabcd"}), (Outcome{"xa", 1}));
  EXPECT_EQ(feed({"c", "abc"}, {"xabc"}), (Outcome{"x", 1}));
  EXPECT_EQ(feed({"abc", "c"}, {"xab", "c"}), (Outcome{"x", 0}));
  EXPECT_EQ(feed({"same", "same"}, {"same"}), (Outcome{"", 0}));
}

// Would catch: text shown that becomes part of a stop string, and text kept back that cannot.
TEST(StopMatcher, HoldsBackNoMoreThanItMust) {
  const StopStrings strings(std::vector<std::string>{"aab", "b??"});
  StopMatcher matcher(strings);
  std::string out;
  const auto after = [&](const char* piece) {
    EXPECT_FALSE(matcher.add(piece, true, out));
    return out;
  };
  EXPECT_EQ(after("xa"), "x");
  EXPECT_EQ(after("a"), "x");
  EXPECT_EQ(after("a"), "xa");
  EXPECT_EQ(after("c"), "xaaac");
  EXPECT_EQ(after("b?"), "xaaac");
  EXPECT_EQ(after("!"), "xaaacb?!");
}

// Would catch: a match of bytes that cuts a character, or a half character that breaks a match.
TEST(StopMatcher, MatchesCharactersOfSeveralBytes) {
  EXPECT_EQ(feed({"é"}, {"caf\xc3", "\xa9 noir"}), (Outcome{"caf", 0}));
  EXPECT_EQ(feed({"終わり"}, {"これで終", "わ", "り。"}), (Outcome{"これで", 0}));
  EXPECT_EQ(feed({"è"}, {"caf\xc3", "\xa9"}), (Outcome{"café", std::nullopt}));
  EXPECT_EQ(feed({"🙂"}, {"a\xf0\x9f", "\x99",
                            "\x82"
                            "b"}),
            (Outcome{"a", 0}));
}

// Would catch: strings that end before they may, which must be passed over and their ends still
// count as beginnings.
TEST(StopMatcher, PassesOverStringsThatComeTooEarly) {
  const StopStrings strings(std::vector<std::string>{"aa"});
  StopMatcher matcher(strings);
  std::string out;
  EXPECT_FALSE(matcher.add("baa", false, out));
  EXPECT_EQ(out, "ba");
  EXPECT_TRUE(matcher.add("a", true, out));
  EXPECT_EQ(out, "ba");
}

// Would catch: any difference that the cutting into pieces makes, with strings that overlap
// themselves and each other.
TEST(StopMatcher, AgreesWithLookingAtTheWholeText) {
  Rng rng = named_stream(1, "text");
  const auto letters = [&](std::size_t most, std::size_t kinds) {
    std::string text;
    for (std::size_t size = 1 + rng() % most; text.size() < size;) {
      text += static_cast<char>('a' + static_cast<char>(rng() % kinds));
    }
    return text;
  };
  int found = 0;
  for (int i = 0; i < 3000; ++i) {
    std::vector<std::string> stops(1 + rng() % 3);
    for (std::string& stop : stops) stop = letters(6, 2);
    const std::string text = letters(60, 2 + static_cast<std::size_t>(i % 2));
    std::vector<std::string> pieces;
    for (std::size_t at = 0; at < text.size(); at += pieces.back().size()) {
      pieces.push_back(text.substr(at, 1 + rng() % 5));
    }
    const Outcome expected = reference(stops, text);
    ASSERT_EQ(feed(stops, pieces), expected) << text;
    found += expected.found ? 1 : 0;
  }
  EXPECT_GT(found, 300);
  EXPECT_LT(found, 2990);
}

// Would catch: a request without stop strings that loses or keeps back text.
TEST(StopMatcher, PassesAllTextWhereThereAreNone) {
  EXPECT_EQ(feed({}, {"a", "", "b"}), (Outcome{"ab", std::nullopt}));
}

}  // namespace
}  // namespace tokenyard
