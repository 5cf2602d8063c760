#include "models/cost_model_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <string>

#include "models/roofline_cost_model.hpp"
#include "sim/kernel/input_error.hpp"
#include "tests/support/files.hpp"

namespace tokenyard {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

const std::filesystem::path kData = std::filesystem::path(TOKENYARD_SOURCE_DIR) / "models";

std::string refusal(const std::string& text) {
  try {
    cost_model_from_json(JsonFile::parse(text, "cost.json"), kData);
  } catch (const InputError& error) {
    return error.what();
  }
  return "(accepted)";
}

// Would catch: a file that is read as another kind than it says.
TEST(CostModelFile, ReadsALinearModelFromAFile) {
  const test::TemporaryFolder folder;
  const std::string path =
      folder.write("cost.json", "{\"kind\": \"linear\", \"iteration_s\": 0.001}\n");
  EXPECT_EQ(read_cost_model_file(path, kData)->iteration(IterationLoad::one_decode(9)), 1ms);
  std::filesystem::remove(path);
  EXPECT_THROW(read_cost_model_file(path, kData), InputError);
}

// Would catch: model, device or degree of parallelism lost on the way.
TEST(CostModelFile, ReadsARooflineModel) {
  const auto read = cost_model_from_json(
      JsonFile::parse(R"({"kind":"roofline","model":"opt-13b","device":"a100-40g","tp":2})", "c"),
      kData);
  const RooflineCostModel made(load_model_spec(kData, "opt-13b"),
                               load_device_spec(kData, "a100-40g"), 2);
  const auto load = IterationLoad::one_prefill(700, 700);
  EXPECT_EQ(read->iteration(load), made.iteration(load));
  const auto single = cost_model_from_json(
      JsonFile::parse(R"({"kind":"roofline","model":"opt-13b","device":"a100-40g"})", "c"), kData);
  EXPECT_GT(single->iteration(load), read->iteration(load));
}

// Would catch: a kind, name or key that is silently ignored or reported without its place.
TEST(CostModelFile, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(
      refusal(R"({"kind":"tabular"})"),
      "cost.json:1: /kind: expected one of \"linear\", \"roofline\", \"table\", \"pipeline\", "
      "found \"tabular\"");
  EXPECT_EQ(refusal("{\"kind\":\"roofline\",\n\"model\":\"opt13b\",\"device\":\"a100-40g\"}"),
            "cost.json:2: /model: unknown model 'opt13b' (did you mean 'opt-13b'?)");
  EXPECT_THAT(refusal(R"({"kind":"roofline","model":"opt-13b","device":"a100"})"),
              HasSubstr("/device: unknown device 'a100'"));
  EXPECT_THAT(refusal(R"({"kind":"roofline","model":"opt-13b","device":"a40","tp":3})"),
              HasSubstr("/tp: tensor parallelism: 3 does not divide"));
  EXPECT_THAT(refusal(R"({"kind":"roofline","model":"opt-13b","device":"a40","tp":1.5})"),
              HasSubstr("/tp: expected an integer from 1 to 1024, found 1.5"));
  EXPECT_THAT(refusal(R"({"kind":"roofline","model":"opt-13b"})"), HasSubstr("/device: missing"));
  EXPECT_THAT(refusal(R"({"kind":"roofline","model":"opt-13b","device":"a40","pt":2})"),
              HasSubstr("/pt: unknown key (did you mean 'tp'?)"));
  EXPECT_THAT(refusal(R"({"kind":"linear","model":"opt-13b"})"), HasSubstr("/model: unknown key"));
}

// Would catch: stages that are none, or pipelines again; a stage that is not there.
TEST(CostModelFile, RefusesPipelinesThatAreNone) {
  const auto pipeline = [](const std::string& stages) {
    return R"({"kind":"pipeline","to_next":{"latency_s":0,"token_s":0},"stages":[)" + stages + "]}";
  };
  const std::string stage = R"({"kind":"linear","iteration_s":0.01})";
  EXPECT_EQ(refusal(pipeline(stage + "," + stage)), "(accepted)");
  EXPECT_THAT(refusal(pipeline("")), HasSubstr("/stages: expected at least one"));
  EXPECT_THAT(refusal(pipeline(pipeline(stage))),
              HasSubstr("/stages/0/kind: a stage is no pipeline itself"));
  EXPECT_THAT(refusal(R"({"kind":"roofline","model":"opt-13b","device":"a40","pp":2,"stage":3})"),
              HasSubstr("/stage: expected an integer from 1 to 2"));
}

}  // namespace
}  // namespace tokenyard
