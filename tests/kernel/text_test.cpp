#include "sim/kernel/text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

namespace tokenyard {
namespace {

using ::testing::ElementsAre;

// Would catch: numbers cut short at the first odd character, as std::stoi and atof do.
TEST(Text, IntegersAreReadWholeOrNotAtAll) {
  EXPECT_EQ(parse_integer("42"), 42);
  EXPECT_EQ(parse_integer("-7"), -7);
  EXPECT_EQ(parse_integer("9223372036854775807"), std::numeric_limits<std::int64_t>::max());
  for (const char* text : {"", " 1", "1 ", "1.0", "1e3", "+1", "0x10", "1,000", "one", "-",
                           "9223372036854775808", "1\n"}) {
    EXPECT_EQ(parse_integer(text), std::nullopt) << text;
  }
}

// Would catch: NaN or infinity let in, which would poison every comparison after it.
TEST(Text, NumbersAreReadWholeFiniteOrNotAtAll) {
  EXPECT_EQ(parse_number("0.5"), 0.5);
  EXPECT_EQ(parse_number("-2e-3"), -2e-3);
  EXPECT_EQ(parse_number("3"), 3.0);
  for (const char* text :
       {"", " 1", "1 ", "1.5x", "nan", "inf", "-inf", "infinity", "1e999", "0x1p3", "1,5", "."}) {
    EXPECT_EQ(parse_number(text), std::nullopt) << text;
  }
}

// Would catch: result files that lose digits, so that a run could not be repeated from them.
RC_GTEST_PROP(Text, FormattedNumbersReadBackAsTheSameBits, (std::uint64_t bits)) {
  double value = 0;
  std::memcpy(&value, &bits, sizeof value);
  RC_PRE(std::isfinite(value));
  const auto back = parse_number(format_number(value));
  RC_ASSERT(back.has_value());
  RC_ASSERT(std::memcmp(&*back, &value, sizeof value) == 0);
}

// Would catch: a change of the shortest form, which would change every result file.
TEST(Text, FormatsNumbersShortest) {
  EXPECT_EQ(format_number(0.1), "0.1");
  EXPECT_EQ(format_number(3), "3");
  EXPECT_EQ(format_number(1e-9), "1e-09");
}

// Would catch: an empty part at either end or in the middle that is lost.
TEST(Text, SplitsAtEverySeparator) {
  EXPECT_THAT(split("a=1,b=2", ','), ElementsAre("a=1", "b=2"));
  EXPECT_THAT(split(",a,,", ','), ElementsAre("", "a", "", ""));
  EXPECT_THAT(split("", ','), ElementsAre(""));
}

// Would catch: a message of several lines, or one that carries terminal codes from an input file.
TEST(Text, PrintsForeignTextInOneLine) {
  EXPECT_EQ(printable("a\nb\x1b[31m\x7f"), "a\\x0ab\\x1b[31m\\x7f");
  EXPECT_EQ(printable(std::string(60, 'x')), std::string(60, 'x'));
  EXPECT_EQ(printable(std::string(61, 'x')), std::string(60, 'x') + "...");
}

// Would catch: a hint for a name that is nothing like the typed one, or none for a simple slip
// (a letter dropped, added, replaced, or two swapped).
TEST(Text, SuggestsOnlyNearNames) {
  const std::vector<std::string> names = {"ratio", "levels", "base_quantum_ms", "fcfs"};
  for (const char* slip : {"ratoi", "rtio", "rattio", "rateo"}) {
    EXPECT_EQ(suggestion(slip, names), " (did you mean 'ratio'?)") << slip;
  }
  EXPECT_EQ(suggestion("base_quantum", names), " (did you mean 'base_quantum_ms'?)");
  EXPECT_EQ(suggestion("fcs", names), " (did you mean 'fcfs'?)");
  EXPECT_EQ(suggestion("temperature", names), "");
  EXPECT_EQ(suggestion("x", names), "");
  EXPECT_EQ(suggestion("ratio", {}), "");
  EXPECT_EQ(suggestion(std::string(100'000, 'r'), names), "");
}

}  // namespace
}  // namespace tokenyard
