#include "engine/text/added_tokens.hpp"

#include <gtest/gtest.h>

#include <string>

namespace tokenyard {
namespace {

const AddedTokens kTokens({{"<a>", 0, true},
                           {"<a><b>", 1},
                           {"<b>", 2},
                           {"<m>", 3, false, true, true},
                           {"<sp>", 4, true}});

/// The parts, the added ones as "[token:text]".
std::string parts(std::string_view text, bool special = true) {
  std::string all;
  for (const auto& part : kTokens.split(text, special)) {
    const std::string inner(part.text);
    all +=
        part.token < 0 ? "(" + inner + ")" : "[" + std::to_string(part.token) + ":" + inner + "]";
  }
  return all;
}

// Would catch: a shorter token preferred to a longer one, text lost beside tokens, empty parts.
TEST(AddedTokens, TheLeftmostAndLongestIsTaken) {
  EXPECT_EQ(parts(""), "");
  EXPECT_EQ(parts("xy"), "(xy)");
  EXPECT_EQ(parts("<a>"), "[0:<a>]");
  EXPECT_EQ(parts("x<a><a><b><b>y"), "(x)[0:<a>][1:<a><b>][2:<b>](y)");
  EXPECT_EQ(parts("<<a>>"), "(<)[0:<a>](>)");
  EXPECT_EQ(parts("<a><"), "[0:<a>](<)");
}

// Would catch: a special token recognised that should be text, or one that is not special no longer
// recognised with it.
TEST(AddedTokens, SpecialTokensCanBeText) {
  EXPECT_EQ(parts("<a>x<sp><b>", false), "(<a>x<sp>)[2:<b>]");
  EXPECT_EQ(parts("<a><b>", false), "[1:<a><b>]");
}

// Would catch: white space given twice or to the wrong side where tokens share it, and bytes that
// only resemble white space taken with it.
TEST(AddedTokens, WhiteSpaceBesideATokenIsTakenOnce) {
  EXPECT_EQ(parts("x \u3000<m>\t\ny"), "(x)[3: \u3000<m>\t\n](y)");
  EXPECT_EQ(parts("<m>  <m>"), "[3:<m>  ][3:<m>]");
  EXPECT_EQ(parts("<b>  <m>"), "[2:<b>][3:  <m>]");
  EXPECT_EQ(parts("  <b> <m>"), "(  )[2:<b>][3: <m>]");
  EXPECT_EQ(parts("\x80<m>\x80"), "(\x80)[3:<m>](\x80)");
  EXPECT_EQ(parts("\u00A0\xA0<m>"), "(\u00A0\xA0)[3:<m>]");
}

}  // namespace
}  // namespace tokenyard
