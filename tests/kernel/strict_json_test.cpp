#include "sim/kernel/strict_json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <utility>

#include "sim/kernel/input_error.hpp"
#include "tests/support/files.hpp"

namespace tokenyard {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

std::string refusal(const std::function<void()>& action) {
  try {
    action();
  } catch (const InputError& error) {
    return error.what();
  }
  return "(accepted)";
}

std::string parse_refusal(const std::string& text) {
  return refusal([&] { JsonFile::parse(text, "cfg.json"); });
}

/// The refusal of reading key "x" of {"x": VALUE} as an integer from 1 to 10.
std::string integer_refusal(const std::string& value) {
  return refusal(
      [&] { JsonFile::parse("{\"x\": " + value + "}", "cfg.json").integer("x", 1, 10); });
}

// Would catch: values read from the wrong key, array elements lost or out of order, numbers
// changed.
TEST(StrictJson, ReadsEveryType) {
  const JsonObject object = JsonFile::parse(
      R"({"s": "a\nb", "i": -7, "n": 1.5, "whole": 3, "f": true, "o": {"inner": 1},
          "names": ["x", "y"], "counts": [1, 2, 3], "rows": [{"k": 1}, {"k": 2}]})",
      "cfg.json");
  EXPECT_EQ(object.string("s"), "a\nb");
  EXPECT_EQ(object.integer("i", -10, 10), -7);
  EXPECT_EQ(object.number("n", 0, 2), 1.5);
  EXPECT_EQ(object.number("whole", 0, 3), 3.0);
  EXPECT_TRUE(object.flag("f"));
  EXPECT_EQ(object.object("o").integer("inner", 0, 1), 1);
  EXPECT_THAT(object.strings("names"), ElementsAre("x", "y"));
  EXPECT_THAT(object.integers("counts", 1, 3), ElementsAre(1, 2, 3));
  EXPECT_THAT(object.numbers("counts", 1, 3), ElementsAre(1, 2, 3));
  ASSERT_EQ(object.objects("rows").size(), 2U);
  EXPECT_EQ(object.objects("rows")[1].integer("k", 0, 9), 2);
  EXPECT_THAT(object.keys(),
              ElementsAre("s", "i", "n", "whole", "f", "o", "names", "counts", "rows"));
  EXPECT_NO_THROW(object.refuse_unread());
}

// Would catch: a null taken for a value, a missing key for a null, lists flattened or out of order,
// and a member that is no integer accepted among many.
TEST(StrictJson, ReadsNullsListsAndTables) {
  const JsonObject object = JsonFile::parse(
      R"({"none": null, "some": 0, "lists": [["a", "b"], "c d", []], "table": {"x": 2, "y": 1},
          "bad lists": [["a"], [1]], "flat": [3], "bad table": {"x": 2, "y": "1"}})",
      "cfg.json");
  EXPECT_FALSE(object.has_value("none"));
  EXPECT_FALSE(object.has_value("missing"));
  EXPECT_TRUE(object.has_value("some"));
  EXPECT_THAT(object.string_lists("lists"),
              ElementsAre(ElementsAre("a", "b"), ElementsAre("c d"), ElementsAre()));
  EXPECT_THAT(object.object("table").integer_members(1, 2),
              ElementsAre(std::pair("x", 2), std::pair("y", 1)));
  EXPECT_EQ(refusal([&] { object.string_lists("bad lists"); }),
            "cfg.json:2: /bad lists/1/0: expected a string, found 1");
  EXPECT_EQ(refusal([&] { object.string_lists("flat"); }),
            "cfg.json:2: /flat/0: expected an array of strings, found 3");
  EXPECT_EQ(refusal([&] { object.object("table").integer_members(2, 3); }),
            "cfg.json:1: /table/y: expected an integer from 2 to 3, found 1");
  EXPECT_EQ(refusal([&] { object.object("bad table").integer_members(0, 3); }),
            "cfg.json:2: /bad table/y: expected an integer from 0 to 3, found \"1\"");
  EXPECT_NO_THROW(object.object("table").refuse_unread());
}

// Would catch: an error that sends the user to the wrong line or names the wrong field. The values
// stand before a line's end, where the parser has already read the newline.
TEST(StrictJson, NamesFileLineAndField) {
  const std::string text =
      "{\n  \"engine\": {\n    \"blocks\": \"x\",\n    \"rows\": [\n      1,\n"
      "      2.5\n    ],\n    \"last\": 11\n  }\n}\n";
  const JsonObject engine = JsonFile::parse(text, "cfg.json").object("engine");
  EXPECT_EQ(refusal([&] { engine.integer("blocks", 1, 10); }),
            "cfg.json:3: /engine/blocks: expected an integer from 1 to 10, found \"x\"");
  EXPECT_EQ(refusal([&] { engine.integers("rows", 0, kMost); }),
            "cfg.json:6: /engine/rows/1: expected an integer of at least 0, found 2.5");
  EXPECT_EQ(refusal([&] { engine.numbers("rows", 0, 2); }),
            "cfg.json:6: /engine/rows/1: expected a number from 0 to 2, found 2.5");
  EXPECT_EQ(refusal([&] { engine.integer("last", 1, 10); }),
            "cfg.json:8: /engine/last: expected an integer from 1 to 10, found 11");
  EXPECT_EQ(refusal([&] { engine.number("absent", 0, 1); }),
            "cfg.json:2: /engine/absent: missing; expected a number from 0 to 1");
  EXPECT_EQ(refusal([&] { engine.refuse("last", "is too late"); }),
            "cfg.json:8: /engine/last: is too late");
}

// Would catch: a row of a JSON Lines file reported as line 1.
TEST(StrictJson, CountsFromTheGivenFirstLine) {
  const JsonObject row = JsonFile::parse("{\"id\": -1}", "trace.jsonl", 17);
  EXPECT_THAT(refusal([&] { row.integer("id", 0, kMost); }), StartsWith("trace.jsonl:17: /id: "));
  EXPECT_THAT(refusal([] { JsonFile::parse("{\"id\": }", "trace.jsonl", 17); }),
              StartsWith("trace.jsonl:17: not valid JSON at column 8: "));
}

// Would catch: the silent conversions of the JSON library (1.7 -> 1, -1 -> 4294967295, true -> 1).
TEST(StrictJson, ConvertsNothingSilently) {
  for (const char* value : {"1.7", "1.0", "1e0", "true", "\"1\"", "null", "[]", "{}", "0", "-1",
                            "11", "9223372036854775808", "18446744073709551616", "1e300"}) {
    EXPECT_THAT(integer_refusal(value),
                StartsWith("cfg.json:1: /x: expected an integer from 1 to 10, found "))
        << value;
  }
  const JsonObject object = JsonFile::parse(R"({"i": 1, "s": "1.5", "t": "true"})", "cfg.json");
  EXPECT_THAT(refusal([&] { object.flag("i"); }), HasSubstr("expected true or false, found 1"));
  EXPECT_THAT(refusal([&] { object.flag("t"); }), HasSubstr("found \"true\""));
  EXPECT_THAT(refusal([&] { object.number("s", 0, 2); }), HasSubstr("a number from 0 to 2"));
  EXPECT_THAT(refusal([&] { object.string("i"); }), HasSubstr("expected a string, found 1"));
  EXPECT_THAT(refusal([&] { object.object("i"); }), HasSubstr("expected an object, found 1"));
  EXPECT_THAT(refusal([&] { object.strings("i"); }), HasSubstr("an array of strings, found 1"));
}

// Would catch: limits of 64 bits lost to a detour through double.
TEST(StrictJson, KeepsTheWholeRangeOfIntegers) {
  const JsonObject object = JsonFile::parse(
      R"({"most": 9223372036854775807, "least": -9223372036854775808})", "cfg.json");
  EXPECT_EQ(object.integer("most", 0, kMost), kMost);
  EXPECT_EQ(object.integer("least", std::numeric_limits<std::int64_t>::min(), 0),
            std::numeric_limits<std::int64_t>::min());
}

// Would catch: a duplicate that silently wins or loses, in small objects and inside others.
TEST(StrictJson, RefusesDuplicateKeys) {
  EXPECT_EQ(parse_refusal("{\"a\": 1,\n\"b\": 2,\n\"a\": 3}"),
            "cfg.json:3: duplicate key \"a\" (first on line 1)");
  EXPECT_THAT(parse_refusal(R"({"o": [{"a": 1, "a": 1}]})"), HasSubstr("duplicate key \"a\""));
}

// Would catch: a hostile file that exhausts the stack; and a limit that is off by one.
TEST(StrictJson, LimitsNesting) {
  const auto nested = [](std::size_t arrays) {
    return "{\"x\": " + std::string(arrays, '[') + std::string(arrays, ']') + "}";
  };
  EXPECT_EQ(parse_refusal(nested(63)), "(accepted)");
  EXPECT_EQ(parse_refusal(nested(64)), "cfg.json:1: nested deeper than 64 levels at column 70");
  EXPECT_THAT(parse_refusal(nested(1'000'000)), HasSubstr("nested deeper"));
}

// Would catch: a syntax error without place, or accepted trailing text, comments, NaN or bad UTF-8.
TEST(StrictJson, RefusesWhatIsNotJson) {
  EXPECT_THAT(parse_refusal("{\n  \"a\": 1,\n  b: 2}"),
              StartsWith("cfg.json:3: not valid JSON at column 3: "));
  for (const char* text : {"{\"a\": 1", "{\"a\": 1} x", "{\"a\": 1,}", "{'a': 1}", "{\"a\": NaN}",
                           "{\"a\": 01}", "{} // note", "{\"a\": \"\xff\"}", "{\"a\": 1e999}"}) {
    EXPECT_THAT(parse_refusal(text), StartsWith("cfg.json:1: not valid JSON at column ")) << text;
  }
  EXPECT_LT(parse_refusal("{\"a\": " + std::string(100'000, '9') + "}").size(), 400U)
      << "what is wrong is quoted, not repeated";
  EXPECT_EQ(parse_refusal(""), "cfg.json:1: empty; expected a JSON object");
  EXPECT_EQ(parse_refusal(" \n"), "cfg.json:1: empty; expected a JSON object");
  EXPECT_EQ(parse_refusal("[1]"), "cfg.json:1: expected a JSON object, found an array");
  EXPECT_EQ(parse_refusal("\n7"), "cfg.json:2: expected a JSON object, found 7");
}

// Would catch: a misspelled option that is silently ignored.
TEST(StrictJson, RefusesUnreadKeysWithTheNearestKnownOne) {
  const JsonObject object =
      JsonFile::parse("{\"requests\": 1,\n \"arivals\": \"x\", \"zzz\": 0}", "plan.json");
  EXPECT_EQ(object.integer("requests", 0, 9), 1);
  EXPECT_EQ(object.string_or("arrivals", "poisson"), "poisson");
  EXPECT_EQ(refusal([&] { object.refuse_unread(); }),
            "plan.json:2: /arivals: unknown key (did you mean 'arrivals'?)");
  EXPECT_FALSE(object.has("lengths"));
  EXPECT_TRUE(object.has("arivals"));
  const JsonObject copy = object;
  copy.string("arivals");
  EXPECT_EQ(refusal([&] { object.refuse_unread(); }), "plan.json:2: /zzz: unknown key");
}

// Would catch: a fallback that hides a wrong value, or a value that is ignored for the fallback.
TEST(StrictJson, FallsBackOnlyForMissingKeys) {
  const JsonObject object =
      JsonFile::parse(R"({"i": 2, "n": 0.5, "f": false, "s": "v", "bad": "2"})", "cfg.json");
  EXPECT_EQ(object.integer_or("i", 0, 9, 5), 2);
  EXPECT_EQ(object.integer_or("none", 0, 9, 5), 5);
  EXPECT_EQ(object.number_or("n", 0, 1, 0.25), 0.5);
  EXPECT_EQ(object.number_or("none", 0, 1, 0.25), 0.25);
  EXPECT_FALSE(object.flag_or("f", true));
  EXPECT_TRUE(object.flag_or("none", true));
  EXPECT_EQ(object.string_or("s", "w"), "v");
  EXPECT_THAT(refusal([&] { object.integer_or("bad", 0, 9, 5); }), HasSubstr("found \"2\""));
  EXPECT_THAT(refusal([&] { object.integer_or("i", 5, 9, 5); }), HasSubstr("from 5 to 9"));
}

// Would catch: a choice outside the list taken, or refused without saying what there is.
TEST(StrictJson, ChoosesAmongNames) {
  const JsonObject object = JsonFile::parse(R"({"a": "swap", "b": "swop"})", "cfg.json");
  EXPECT_EQ(object.choice("a", {"recompute", "swap"}), "swap");
  EXPECT_EQ(refusal([&] {
              object.choice("b", {"recompute", "swap"});
            }),
            "cfg.json:1: /b: expected one of \"recompute\", \"swap\", found \"swop\" (did you mean "
            "'swap'?)");
}

// Would catch: numbers rewritten on their way into an option or an `ext` column.
TEST(StrictJson, GivesBackTextAsWritten) {
  const JsonObject object = JsonFile::parse(
      R"({"n": 0.10, "i": 7, "f": true, "s": "q\"\u00e9", "o": {"a": [1, 2.50, null, [], {}]}})",
      "cfg.json");
  EXPECT_EQ(object.scalar_text("n"), "0.10");
  EXPECT_EQ(object.scalar_text("i"), "7");
  EXPECT_EQ(object.scalar_text("f"), "true");
  EXPECT_EQ(object.scalar_text("s"), "q\"\u00e9");
  EXPECT_THAT(refusal([&] { object.scalar_text("o"); }), HasSubstr("found an object"));
  EXPECT_EQ(object.raw("o"), R"({"a":[1,2.50,null,[],{}]})");
  EXPECT_EQ(object.raw(),
            "{\"n\":0.10,\"i\":7,\"f\":true,\"s\":\"q\\\"\u00e9\","
            "\"o\":{\"a\":[1,2.50,null,[],{}]}}");
}

// Would catch: children that die with the object they were read from.
TEST(StrictJson, ChildrenKeepTheDocumentAlive) {
  const JsonObject child =
      JsonFile::parse(R"({"o": {"text": "long enough to live on the heap"}})", "c").object("o");
  EXPECT_EQ(child.string("text"), "long enough to live on the heap");
}

// Would catch: a crash, an empty configuration or a message without the path for unreadable files.
TEST(StrictJson, NamesUnreadableFiles) {
  EXPECT_EQ(refusal([] { JsonFile::read("/nonexistent/cfg.json"); }),
            "/nonexistent/cfg.json: cannot open: No such file or directory");
  EXPECT_EQ(refusal([] { JsonFile::read("/"); }), "/: is a folder, not a file");
  const test::TemporaryFolder folder;
  const std::string path = folder.write("empty.json", "");
  EXPECT_EQ(refusal([&] { JsonFile::read(path); }), path + ":1: empty; expected a JSON object");
  folder.write("empty.json", "{\"a\": 1}\n");
  EXPECT_EQ(JsonFile::read(path).integer("a", 0, 1), 1);
}

}  // namespace
}  // namespace tokenyard
