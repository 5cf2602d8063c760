#include "engine/weights/safetensors.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "tests/engine/checkpoint_writer.hpp"
#include "tests/engine/weights_support.hpp"

namespace tokenyard {
namespace {

using test::CheckpointWriter;
using test::refusal;
using test::safetensors_text;
using test::TemporaryFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr const char* kFile = "model.safetensors";
constexpr const char* kIndex = "model.safetensors.index.json";

float first_value(const StoredTensor& tensor) {
  float value = 0;
  std::memcpy(&value, tensor.data, sizeof value);
  return value;
}

/// What a checkpoint with this text in its only file is refused with.
std::string refusal_of(const std::string& text) {
  const TemporaryFolder folder;
  folder.write(kFile, text);
  const std::string message = refusal([&] { SafetensorsCheckpoint::open(folder.path()); });
  const std::string place = folder.path(kFile) + ": ";
  return message.starts_with(place) ? message.substr(place.size()) : message;
}

/// The same with this header and eight bytes of data.
std::string refusal_of_header(std::string_view header) {
  return refusal_of(safetensors_text(header, "12345678"));
}

// Would catch: names, shapes or data that are not found again, or tensors of types that no model
// here needs refused.
TEST(Safetensors, FindsTensorsByName) {
  const TemporaryFolder folder;
  folder.write(kFile, CheckpointWriter()
                          .add("wte", {2, 3}, 10)
                          .add_bytes("mask", "BOOL", {1, 3}, "101")
                          .add_bytes("odd", "F4", {2}, "x")
                          .add("scalar", {}, 7)
                          .add("none", {0, 4})
                          .add("wpe", {2}, 20)
                          .text());
  const auto checkpoint = SafetensorsCheckpoint::open(folder.path());
  EXPECT_EQ(checkpoint->path(), folder.path(kFile));
  EXPECT_EQ(checkpoint->tensors().size(), 6U);
  ASSERT_NE(checkpoint->find("wte"), nullptr);
  EXPECT_THAT(checkpoint->find("wte")->entry.shape, ElementsAre(2, 3));
  EXPECT_EQ(first_value(*checkpoint->find("wte")), 10.0F);
  EXPECT_EQ(first_value(*checkpoint->find("wpe")), 20.0F);
  EXPECT_EQ(first_value(*checkpoint->find("scalar")), 7.0F);
  EXPECT_EQ(checkpoint->find("mask")->entry.dtype, "BOOL");
  EXPECT_EQ(*checkpoint->find("mask")->file, folder.path(kFile));
  EXPECT_EQ(checkpoint->find("wt"), nullptr);
  EXPECT_EQ(checkpoint->find(""), nullptr);
}

// Would catch: shards that are not put together, and data that is read from the wrong one.
TEST(Safetensors, PutsShardsTogether) {
  const TemporaryFolder folder;
  folder.write("one.safetensors", CheckpointWriter().add("a", {2}, 1).text());
  folder.write("two.safetensors", CheckpointWriter().add("b", {2}, 2).add("c", {1}, 4).text());
  const auto index = [&](const std::string& map) {
    folder.write(kIndex, R"({"metadata": {"total_size": 1}, "weight_map": {)" + map + "}}");
    return refusal([&] { SafetensorsCheckpoint::open(folder.path()); });
  };
  const std::string all = R"("a": "one.safetensors", "b": "two.safetensors")";
  EXPECT_EQ(index(all), "(accepted)");
  const auto checkpoint = SafetensorsCheckpoint::open(folder.path());
  EXPECT_EQ(first_value(*checkpoint->find("a")), 1.0F);
  EXPECT_EQ(first_value(*checkpoint->find("b")), 2.0F);
  EXPECT_EQ(*checkpoint->find("c")->file, folder.path("two.safetensors"));

  const std::string place = folder.path(kIndex);
  EXPECT_EQ(index(all + R"(, "d": "one.safetensors")"),
            place + ":1: tensor \"d\": is not in one.safetensors");
  EXPECT_EQ(index(all + R"(, "c": "one.safetensors")"),
            place + ":1: tensor \"c\": is not in one.safetensors");
  EXPECT_THAT(index(R"("a": "three.safetensors")"), HasSubstr("three.safetensors: cannot open"));
  for (const char* name : {R"("../one.safetensors")", R"("/dev/zero")", R"("..")", R"("")", "1"}) {
    EXPECT_EQ(index(fmt::format(R"("a": {})", name)),
              place + ":1: tensor \"a\": expected the name of a file in the same folder");
  }
  folder.write("two.safetensors", CheckpointWriter().add("b", {2}).add("a", {1}).text());
  EXPECT_EQ(index(all), place + ": tensor \"a\": is in " + folder.path("one.safetensors") +
                            " and in " + folder.path("two.safetensors"));
  folder.write(kIndex, "{}");
  EXPECT_THAT(refusal([&] { SafetensorsCheckpoint::open(folder.path()); }),
              HasSubstr("/weight_map: expected an object of tensors and files"));
  folder.write(kIndex, "");
  EXPECT_THAT(refusal([&] { SafetensorsCheckpoint::open(folder.path()); }), StartsWith(place));
}

// Would catch: a length that is believed, and so read beyond the file or past all memory.
TEST(Safetensors, RefusesLengthsBeyondTheFile) {
  EXPECT_EQ(refusal_of(""), "only 0 bytes; expected a safetensors file");
  EXPECT_EQ(refusal_of("1234567"), "only 7 bytes; expected a safetensors file");
  EXPECT_THAT(refusal_of(std::string("\3\0\0\0\0\0\0\0{}", 10)),
              StartsWith("a header of 3 bytes, where at most 2 can be; the file is cut short"));
  EXPECT_THAT(refusal_of(std::string(16, '\xff')), StartsWith("a header of 18446744073709551615"));
  EXPECT_THAT(refusal_of(std::string(8, '\0')), HasSubstr("not valid JSON"));
  EXPECT_EQ(refusal_of_header("{}"), "(accepted)");
  EXPECT_EQ(refusal_of_header("{}   "), "(accepted)") << "headers may be padded with blanks";
}

// Would catch: a header of another form that is taken for one, or crashes the reader.
TEST(Safetensors, RefusesHeadersOfAnotherForm) {
  const std::string whole = R"({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}})";
  EXPECT_EQ(refusal_of_header(whole), "(accepted)");
  EXPECT_EQ(refusal_of_header("[]"), "header: expected an object, found an array");
  EXPECT_EQ(refusal_of_header("1"), "header: expected an object, found 1");
  EXPECT_EQ(refusal_of_header("{\"a\": 1}"), "tensor \"a\": expected an object, found 1");
  EXPECT_EQ(refusal_of_header("{\"a\": [{}]}"), "tensor \"a\": expected an object, found an array");
  EXPECT_EQ(refusal_of_header("{\"a\": {}}"),
            "tensor \"a\": incomplete; expected dtype, shape and two data_offsets");
  EXPECT_THAT(refusal_of_header("{\"a\": "), HasSubstr("the header is not valid JSON at byte 7"));
  EXPECT_THAT(refusal_of_header(whole + "x"), HasSubstr("not valid JSON"));
  EXPECT_THAT(refusal_of_header("{\"\xff\": 1}"), HasSubstr("not valid JSON"));
  EXPECT_EQ(refusal_of_header(R"({"__metadata__": {"a": 1}})"),
            "tensor \"__metadata__\": expected a string, found 1");
  EXPECT_EQ(refusal_of_header(R"({"__metadata__": {"a": {"b": "c"}}})"),
            "tensor \"__metadata__\": expected a string, found an object");
  const auto with = [&](std::string_view from, std::string_view to) {
    std::string header = whole;
    header.replace(header.find(from), from.size(), to);
    return refusal_of_header(header);
  };
  EXPECT_EQ(with("\"F32\"", "[1]"), "tensor \"a\": dtype: expected a string, found an array");
  EXPECT_EQ(with("\"F32\"", "32"), "tensor \"a\": dtype: expected a string, found 32");
  EXPECT_EQ(with("[2]", "2"), "tensor \"a\": shape: expected an array of integers from 0, found 2");
  for (const char* bad : {"[-2]", "[2.0]", "[\"2\"]", "[null]", "[true]", "[[2]]", "{\"x\": 1}",
                          "[18446744073709551616]", "[1,1,1,1,1,1,1,1,2]"}) {
    EXPECT_THAT(with("[2]", bad), StartsWith("tensor \"a\": shape: expected")) << bad;
  }
  EXPECT_THAT(with("[0, 8]", "[0]"), HasSubstr("incomplete"));
  EXPECT_THAT(with("[0, 8]", "[0, 8, 9]"), HasSubstr("data_offsets: expected"));
  EXPECT_EQ(with("\"shape\"", "\"size\""), "tensor \"a\": unknown key \"size\"");
  EXPECT_EQ(with("\"shape\"", "\"dtype\": \"F32\", \"shape\""),
            "tensor \"a\": duplicate key \"dtype\"");
  EXPECT_EQ(with("\"shape\": [2]", "\"shape\": [], \"shape\": [2]"),
            "tensor \"a\": duplicate key \"shape\"");
}

// Would catch: deep nesting that exhausts the stack.
TEST(Safetensors, RefusesDeepNesting) {
  EXPECT_EQ(refusal_of_header(std::string(1'000'000, '[')),
            "header: expected an object, found an array");
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += "{\"a\":";
  EXPECT_THAT(refusal_of_header(objects), HasSubstr("unknown key \"a\""));
}

// Would catch: spans that lead out of the file, whose length is not what shape and type say (also
// by way of an overflow), or that several tensors share.
TEST(Safetensors, RefusesSpansThatCannotBe) {
  const auto entry = [](const std::string& name, const std::string& shape,
                        const std::string& offsets) {
    return fmt::format(R"("{}": {{"dtype": "F32", "shape": {}, "data_offsets": {}}})", name, shape,
                       offsets);
  };
  const auto refused = [&](const std::string& shape, const std::string& offsets) {
    return refusal_of_header("{" + entry("a", shape, offsets) + "}");
  };
  EXPECT_EQ(refused("[2]", "[0, 8]"), "(accepted)");
  EXPECT_EQ(refused("[1]", "[4, 8]"), "(accepted)");
  EXPECT_EQ(refused("[2]", "[4, 12]"),
            "tensor \"a\": data_offsets [4, 12] lie outside the file, which has 8 bytes of data");
  EXPECT_THAT(refused("[2]", "[8, 0]"), HasSubstr("lie outside"));
  EXPECT_THAT(refused("[2]", "[18446744073709551608, 0]"), HasSubstr("lie outside"));
  EXPECT_EQ(refused("[3]", "[0, 8]"),
            "tensor \"a\": data_offsets [0, 8] do not hold [3] elements of F32");
  EXPECT_THAT(refused("[]", "[0, 8]"), HasSubstr("do not hold [] elements"));
  EXPECT_THAT(refused("[0]", "[0, 8]"), HasSubstr("do not hold [0] elements"));
  // 4 x 2^62 x 2 is 2^65, and 0 in 64 bits; 2^31 x 2^31 x 4 x 4 likewise.
  EXPECT_THAT(refused("[4611686018427387904, 2]", "[0, 0]"), HasSubstr("do not hold"));
  EXPECT_THAT(refused("[2147483648, 2147483648, 4]", "[0, 0]"), HasSubstr("do not hold"));
  EXPECT_EQ(refused("[4611686018427387904, 0]", "[0, 0]"), "(accepted)");

  const auto both = [&](const std::string& first, const std::string& second) {
    return refusal_of_header("{" + first + ", " + second + "}");
  };
  EXPECT_EQ(both(entry("a", "[1]", "[0, 4]"), entry("b", "[1]", "[4, 8]")), "(accepted)");
  EXPECT_EQ(both(entry("b", "[1]", "[3, 7]"), entry("a", "[1]", "[0, 4]")),
            "tensor \"b\": overlaps tensor \"a\"");
  EXPECT_EQ(both(entry("a", "[1]", "[0, 4]"), entry("a", "[1]", "[4, 8]")),
            "tensor \"a\": is there twice");
}

// Would catch: work that grows with the square of the number of tensors: a hundred thousand of them
// would then outlast the test's limit.
TEST(Safetensors, ReadsAHundredThousandTensors) {
  CheckpointWriter writer;
  for (int i = 0; i < 100'000; ++i) writer.add(fmt::format("model.layers.{}.weight", i), {1});
  const TemporaryFolder folder;
  folder.write(kFile, writer.text());
  const auto checkpoint = SafetensorsCheckpoint::open(folder.path());
  for (int i = 0; i < 100'000; ++i) {
    ASSERT_NE(checkpoint->find(fmt::format("model.layers.{}.weight", i)), nullptr);
  }
}

}  // namespace
}  // namespace tokenyard
