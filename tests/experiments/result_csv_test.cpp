#include "experiments/report/result_csv.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "experiments/record/result_folder.hpp"
#include "sim/kernel/input_error.hpp"
#include "sim/kernel/text.hpp"
#include "tests/experiments/made_up.hpp"

namespace tokenyard {
namespace {

using made_up::ScratchFolder;
using testing::HasSubstr;

/// Reads every cell of column "b" as a number; the message of the error where there is one.
std::string reading(const std::string& text) {
  const ScratchFolder scratch;
  write_text_file(scratch.path() / "x.csv", text);
  try {
    ResultCsv csv(scratch.path() / "x.csv");
    const std::size_t b = csv.column("b");
    std::string values;
    while (csv.next()) values += std::to_string(csv.number(b)) + " ";
    return values;
  } catch (const InputError& error) {
    return error.what();
  }
}

// Catches a reader that does not read what our writer writes: quotes, commas, CRLF.
TEST(ResultCsv, ReadsWhatWeWrite) {
  const ScratchFolder scratch;
  const std::string awkward[] = {"a,b", "say \"hi\"", "\"", "", "plain", "\"\",\"\""};
  std::string text = "label,n\r\n";
  for (const auto& label : awkward) text += csv_field(label) + ",1\r\n";
  write_text_file(scratch.path() / "x.csv", text);
  ResultCsv csv(scratch.path() / "x.csv");
  for (const auto& label : awkward) {
    ASSERT_TRUE(csv.next());
    EXPECT_EQ(csv.text(0), label);
    EXPECT_EQ(csv.count(1), 1u);
  }
  EXPECT_FALSE(csv.next());
}

// Catches damaged files that are taken silently, and messages without file, line and column.
TEST(ResultCsv, RefusesDamageByLineAndColumn) {
  EXPECT_EQ(reading("a,b\n1,2.5\n"), "2.500000 ");
  EXPECT_THAT(reading(""), HasSubstr("x.csv: the file is empty"));
  EXPECT_THAT(reading("a,c\n1,2\n"), HasSubstr("x.csv:1: b: the column is missing"));
  EXPECT_THAT(reading("a,b,b\n"), HasSubstr("x.csv:1: b: the column occurs twice"));
  EXPECT_THAT(reading("a,b\n1,2\n1\n"),
              HasSubstr("x.csv:3: the row has 1 columns, the header has 2"));
  EXPECT_THAT(reading("a,b\n1,2\n1,two\n"), HasSubstr("x.csv:3: b: 'two' is not a number"));
  EXPECT_THAT(reading("a,b\n1,2\n1,nan\n"), HasSubstr("x.csv:3: b: 'nan' is not"));
  EXPECT_THAT(reading("a,b\n\"x\"y,2\n"),
              HasSubstr("x.csv:2: text after the end of a quoted field"));
  EXPECT_THAT(reading("a,b\nx\"\"y,2\n"),
              HasSubstr("x.csv:2: a quote in the middle of an unquoted field"));
  EXPECT_THAT(reading("a,b\n1,\"2\n"),
              HasSubstr("x.csv:2: a quoted field does not end on its line"));
  EXPECT_THROW(ResultCsv("/no/such/file.csv"), InputError);
  EXPECT_THROW(ResultCsv("/tmp"), InputError);
}

}  // namespace
}  // namespace tokenyard
