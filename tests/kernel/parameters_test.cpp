#include "sim/ports/parameters.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <string>

#include "sim/kernel/input_error.hpp"

namespace tokenyard {
namespace {

std::string refusal(const std::function<void()>& action) {
  try {
    action();
  } catch (const InputError& error) {
    return error.what();
  }
  return "(accepted)";
}

std::string parse_refusal(const std::string& text) {
  return refusal([&] { Parameters::parse("policy mlfq", text); });
}

// Would catch: values read for the wrong name, defaults that win over what was given.
TEST(Parameters, ReadsGivenValuesAndDefaults) {
  auto parameters = Parameters::parse("policy mlfq", "ratio=2.5,levels=4,order=lifo");
  EXPECT_EQ(parameters.number("ratio", 2, 1, kNoUpperBound, "quantum ratio"), 2.5);
  EXPECT_EQ(parameters.integer("levels", 0, 0, 64, "number of levels"), 4);
  EXPECT_EQ(parameters.choice("order", {"fifo", "lifo"}, "place inside a level"), 1U);
  EXPECT_EQ(parameters.choice("demote", {"one", "fit"}, "how far"), 0U);
  EXPECT_EQ(parameters.number("base_quantum_ms", 30, 0, kNoUpperBound, "first quantum"), 30);
  EXPECT_TRUE(parameters.given("ratio"));
  EXPECT_FALSE(parameters.given("demote"));
  EXPECT_NO_THROW(parameters.refuse_unread());
}

// Would catch: a number cut at its first odd character, a fraction or a blank taken as an integer,
// a value out of range, a message that does not say what would do.
TEST(Parameters, RefusesBadValuesByNameAndRange) {
  const auto number = [](const std::string& text) {
    return refusal([&] {
      Parameters::parse("policy mlfq", "ratio=" + text).number("ratio", 2, 1, kNoUpperBound, "");
    });
  };
  EXPECT_EQ(number("0.5"), "policy mlfq: ratio: expected a number of at least 1, found '0.5'");
  EXPECT_EQ(number("2x"), "policy mlfq: ratio: expected a number of at least 1, found '2x'");
  for (const char* text : {"nan", "inf", "1e999", " 2", "2 ", "0x10", "two"}) {
    EXPECT_NE(number(text), "(accepted)") << text;
  }
  const auto integer = [](const std::string& text) {
    return refusal(
        [&] { Parameters::parse("policy mlfq", "levels=" + text).integer("levels", 0, 1, 9, ""); });
  };
  EXPECT_EQ(integer("2.0"), "policy mlfq: levels: expected an integer from 1 to 9, found '2.0'");
  for (const char* text : {"0", "10", "-1", "true", "99999999999999999999"}) {
    EXPECT_NE(integer(text), "(accepted)") << text;
  }
  EXPECT_EQ(refusal([] {
              Parameters::parse("policy mlfq", "order=fifi").choice("order", {"fifo", "lifo"}, "");
            }),
            "policy mlfq: order: expected one of fifo, lifo, found 'fifi' (did you mean 'fifo'?)");
}

// Would catch: a misspelled parameter that is silently ignored.
TEST(Parameters, RefusesUnknownNames) {
  auto parameters = Parameters::parse("policy mlfq", "ratoi=3");
  parameters.number("ratio", 2, 1, kNoUpperBound, "");
  EXPECT_EQ(refusal([&] { parameters.refuse_unread(); }),
            "policy mlfq: unknown parameter 'ratoi' (did you mean 'ratio'?)");
  const auto fcfs = Parameters::parse("policy fcfs", "quantum=3");
  EXPECT_EQ(refusal([&] { fcfs.refuse_unread(); }),
            "policy fcfs: unknown parameter 'quantum'; it has none");
}

// Would catch: half-typed settings that are taken for something else, and a value given twice of
// which one silently wins.
TEST(Parameters, RefusesBadSyntaxAndDuplicates) {
  EXPECT_EQ(parse_refusal(""), "(accepted)");
  EXPECT_EQ(parse_refusal("ratio"), "policy mlfq: expected key=value, found 'ratio'");
  EXPECT_EQ(parse_refusal("ratio="), "policy mlfq: expected key=value, found 'ratio='");
  EXPECT_EQ(parse_refusal("=2"), "policy mlfq: expected key=value, found '=2'");
  EXPECT_EQ(parse_refusal("ratio=2,"), "policy mlfq: expected key=value, found ''");
  EXPECT_EQ(parse_refusal("ratio=2,ratio=2"), "policy mlfq: parameter 'ratio' is given twice");
}

// Would catch: a listing that tells users other defaults or ranges than those in force.
TEST(Parameters, DeclaresWhatItReads) {
  Parameters parameters;
  parameters.number("ratio", 2, 1, kNoUpperBound, "quantum ratio");
  parameters.integer("levels", 0, 0, 64, "number of levels");
  parameters.choice("order", {"fifo", "lifo"}, "place inside a level");
  const auto& declared = parameters.declared();
  ASSERT_EQ(declared.size(), 3U);
  EXPECT_EQ(declared[0].name, "ratio");
  EXPECT_EQ(declared[0].type, "number");
  EXPECT_EQ(declared[0].fallback, "2");
  EXPECT_EQ(declared[0].range, "at least 1");
  EXPECT_EQ(declared[0].help, "quantum ratio");
  EXPECT_EQ(declared[1].range, "0 to 64");
  EXPECT_EQ(declared[2].fallback, "fifo");
  EXPECT_EQ(declared[2].range, "fifo|lifo");
}

}  // namespace
}  // namespace tokenyard
