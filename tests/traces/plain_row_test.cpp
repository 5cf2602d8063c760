#include "traces/readers/plain_row.hpp"

#include <gtest/gtest.h>
//
#include <rapidcheck/gtest.h>

#include "tests/traces/made_up_files.hpp"

namespace tokenyard {
namespace {

constexpr const char* kRest = R"("arrival_ns":5,"input_tokens":10,"output_tokens":20)";

bool plain(const std::string& line) {
  TraceRow row;
  return read_plain_row(line, row);
}

// Would catch: fields mixed up, and plain lines sent to the slow parser.
TEST(PlainRow, ReadsEveryFieldOfPlainLines) {
  const std::string line =
      R"({ "id":"a b,{","tenant" : "x", "arrival_ns":5,"input_tokens":10,"output_tokens":0,)"
      R"("max_tokens":100,"predicted_output_tokens":25,"priority":3,"cancel_after_ns":7000,)"
      R"("n":2,"best_of":3,"beam_width":4})";
  TraceRow row;
  ASSERT_TRUE(read_plain_row(line, row));
  EXPECT_EQ(row.label, "a b,{");
  EXPECT_EQ(row.tenant, "x");
  EXPECT_EQ(row.arrival_ns, 5);
  EXPECT_EQ(row.input_tokens, 10);
  EXPECT_EQ(row.output_tokens, 0);
  EXPECT_EQ(row.max_tokens, 100);
  EXPECT_EQ(row.predicted_output_tokens, 25);
  EXPECT_EQ(row.priority, 3);
  EXPECT_EQ(row.cancel_after, Duration(7000));
  EXPECT_EQ(row.n, 2);
  EXPECT_EQ(row.best_of, 3);
  EXPECT_EQ(row.beam_width, 4);
  EXPECT_TRUE(plain(std::string(R"({"id":17,)") + kRest + "}"));
}

// Would catch: a line taken for plain that the general parser reads otherwise or refuses.
TEST(PlainRow, LeavesTheRestToTheGeneralParser) {
  const std::string id = R"({"id":"a",)";
  const std::string right = id + kRest;
  const std::vector<std::string> lines = {"",
                                          "{}",
                                          "{",
                                          "[]",
                                          right,
                                          right + ",}",
                                          right + "} x",
                                          right + "}}",
                                          std::string("{") + kRest + "}",
                                          R"({"id":"a","input_tokens":1,"output_tokens":1})"};
  for (const std::string& line : lines) {
    EXPECT_FALSE(plain(line)) << line;
  }
  const std::vector<std::string> fields = {R"("id":"b")",
                                           R"("n":0)",
                                           R"("n":1025)",
                                           R"("n":-1)",
                                           R"("n":1.0)",
                                           R"("n":1e3)",
                                           R"("n":01)",
                                           R"("n":"1")",
                                           R"("n":true)",
                                           R"("n":null)",
                                           R"("n":)",
                                           R"("n")",
                                           R"("max_tokens":0)",
                                           R"("max_tokens":2147483648)",
                                           R"("priority":-1)",
                                           R"("cancel_after_ns":9223372036854775808)",
                                           R"("cancel_after_ns":0)",
                                           R"("tenant":1)",
                                           R"("tenant":"\u0041")",
                                           "\"tenant\":\"\xc3\xa9\"",
                                           "\"tenant\":\"\x01\"",
                                           R"("tenant":"x)",
                                           R"("parents":[])",
                                           R"("block_hashes":[1])",
                                           R"("unknown":1)",
                                           R"("turn":1,"turn":2)",
                                           R"("ext":{})",
                                           R"("meta":1)"};
  for (const std::string& more : fields) {
    EXPECT_FALSE(plain(id + kRest + "," + more + "}")) << more;
  }
}

// Would catch: a result that depends on how plainly a line is written: escaping one letter, or a
// field that is ignored with an object in it, sends the line to the general parser.
RC_GTEST_PROP(PlainRow, ReadsAsTheGeneralParserDoes, ()) {
  std::string fields;
  const auto maybe = [&](const std::string& name, std::int64_t most) {
    if (!*rc::gen::arbitrary<bool>()) return;
    fields += ",\"" + name + "\":" + std::to_string(*rc::gen::inRange<std::int64_t>(-1, most));
  };
  for (const char* name : {"max_tokens", "predicted_output_tokens", "priority", "n", "best_of"}) {
    maybe(name, 40);
  }
  maybe("cancel_after_ns", std::int64_t{1} << 40U);
  maybe("turn", 9);
  const auto line = [&](const std::string& id, const std::string& more) {
    return "{\"id\":\"" + id + "\"," + kRest + fields + more + "}\n";
  };
  const std::string id = *rc::gen::container<std::string>(rc::gen::inRange('a', 'e'));
  const auto outcome = [](const std::string& text) {
    std::string said = refusal(text);
    return said == "no InputError" ? read_text(text).digest : said;
  };
  RC_ASSERT(outcome(line("a" + id, "")) == outcome(line("\\u0061" + id, "")));
  RC_ASSERT(outcome(line(id + "z", "")) == outcome(line(id + "z", ",\"ext\":{}")));
}

}  // namespace
}  // namespace tokenyard
