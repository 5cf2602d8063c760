#include "models/table_cost_model.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <filesystem>
#include <limits>
#include <string>

#include "models/cost_model_file.hpp"
#include "tests/support/files.hpp"

namespace tokenyard {
namespace {

using ::testing::HasSubstr;

const std::filesystem::path kData = std::filesystem::path(TOKENYARD_SOURCE_DIR) / "models";

/// Milliseconds throughout, and a linear form that grows by 1 ms a token from 2 ms on.
constexpr const char* kTable = R"({"kind":"table","iteration_s":0.001,
 "tokens":{"tokens":[1,10,100],"seconds":[0.010,0.020,0.098]},
 "prefill_attention":[{"chunk":10,"earlier":[0,10],"seconds":[0.001,0.003]},
                      {"chunk":30,"earlier":[0],"seconds":[0.009]}],
 "decode_attention":[{"sequences":1,"context":[10,20],"seconds":[0.002,0.004]},
                     {"sequences":3,"context":[10,20],"seconds":[0.006,0.012]}],
 "beyond":{"kind":"linear","iteration_s":0.002,"prefill_token_s":0.001,"copy_block_s":0.5,
           "swap_block_s":0.25}})";

std::unique_ptr<CostModel> read(const std::string& text) {
  return cost_model_from_json(JsonFile::parse(text, "cost.json"), kData);
}

double milliseconds(const CostModel& cost, const IterationLoad& load) {
  return static_cast<double>(cost.iteration(load).count()) / 1e6;  // of whole nanoseconds
}

IterationLoad decodes(std::int64_t sequences, std::int64_t context) {
  IterationLoad load;
  for (std::int64_t i = 0; i < sequences; ++i) load.add_decode(context);
  return load;
}

// Would catch: a part left out or counted twice, a wrong interpolation, a mixed batch whose
// token-wise part is not that of all its tokens. All numbers by hand.
TEST(TableCostModel, AddsInterpolatedParts) {
  const auto cost = read(kTable);
  EXPECT_DOUBLE_EQ(milliseconds(*cost, IterationLoad::one_prefill(10, 10)), 1 + 20 + 1);
  EXPECT_DOUBLE_EQ(milliseconds(*cost, IterationLoad::one_prefill(10, 15)), 1 + 20 + 2);
  // 20 tokens are a ninth of the way from 10 to 100, and half of that from chunk 10 to 30.
  EXPECT_NEAR(milliseconds(*cost, IterationLoad::one_prefill(20, 20)), 1 + (20 + 78.0 / 9) + 5,
              1e-6);
  EXPECT_NEAR(milliseconds(*cost, decodes(2, 15)), 1 + (10 + 10.0 / 9) + 6, 1e-6);
  IterationLoad mixed = IterationLoad::one_prefill(9, 9);
  mixed.add_decode(10);
  EXPECT_DOUBLE_EQ(milliseconds(*cost, mixed), 1 + 20 + 1 + 2);
  mixed.copied_blocks = 2;
  EXPECT_DOUBLE_EQ(milliseconds(*cost, mixed), 1 + 20 + 1 + 2 + 1000);
  EXPECT_EQ(cost->copy(4), std::chrono::seconds(1));
  EXPECT_EQ(cost->iteration(IterationLoad()), Duration{0});
}

// Would catch: prefills that are averaged instead of taken by their pairs: two prompts of 10 have
// as many as one of 14.14.
TEST(TableCostModel, TakesPrefillsTogetherByTheirPairs) {
  const auto cost = read(kTable);
  IterationLoad load = IterationLoad::one_prefill(10, 10);
  load.add_prefill(10, 10);
  const double tokens = 20 + 78.0 / 9;
  const double part = (10 * std::sqrt(2.0) - 10) / 20;
  EXPECT_NEAR(milliseconds(*cost, load), 1 + tokens + 1 + part * 8, 1e-6);
}

// Would catch: extrapolation that jumps at the edge, goes by other than its work, or is kept quiet;
// a word of it where nothing was left.
TEST(TableCostModel, GoesOnInProportionToTheWorkAndSaysSo) {
  const auto cost = read(kTable);
  const auto& table = dynamic_cast<const TableCostModel&>(*cost);
  cost->iteration(decodes(3, 20));
  cost->iteration(IterationLoad::one_prefill(30, 30));
  EXPECT_EQ(table.left_range(), "");
  EXPECT_NEAR(milliseconds(*cost, decodes(3, 40)), 1 + (10 + 20.0 / 9) + 24, 1e-6);
  EXPECT_THAT(table.left_range(), HasSubstr("decode attention at 1 to 3 sequences and up to 20"));
  EXPECT_NEAR(milliseconds(*cost, decodes(6, 20)), 1 + (10 + 50.0 / 9) + 24, 1e-6);
  // 60 tokens have four times the pairs of 30; 500 tokens are 502 ms by the form, 100 are 102.
  EXPECT_NEAR(milliseconds(*cost, IterationLoad::one_prefill(60, 60)), 1 + 20 + 50 * 78.0 / 90 + 36,
              1e-6);
  EXPECT_THAT(table.left_range(), HasSubstr("prefill attention at 10 to 30 tokens"));
  EXPECT_NEAR(milliseconds(*cost, decodes(500, 10)), 1 + 98 * 502 / 102.0 + 1000, 1e-6);
  EXPECT_THAT(table.left_range(), HasSubstr("as the linear form does"));
  // Below: what the least point says.
  EXPECT_DOUBLE_EQ(milliseconds(*cost, decodes(1, 1)), 1 + 10 + 2);
}

// Would catch: a launch that is taken for work: of a chunk of 2 tokens 1 ms is its launch, and 50
// tokens before it are another 100 pairs, at the 0.001 ms a pair of the chunks that were measured
// behind some.
TEST(TableCostModel, GoesOnAtTheMeasuredRateAndNotFromTheLaunch) {
  const auto cost = read(R"({"kind":"table","tokens":{"tokens":[1],"seconds":[0.001]},
    "prefill_attention":[{"chunk":2,"earlier":[0],"seconds":[0.001]},
                         {"chunk":10,"earlier":[0,40],"seconds":[0.00105,0.00145]},
                         {"chunk":80,"earlier":[0],"seconds":[0.0042]}],
    "beyond":{"kind":"linear"}})");
  EXPECT_NEAR(milliseconds(*cost, IterationLoad::one_prefill(2, 52)), 1 + 1 + 0.1, 1e-6);
  EXPECT_NEAR(milliseconds(*cost, IterationLoad::one_prefill(10, 90)), 1 + 1.45 + 0.4, 1e-6);
  EXPECT_NEAR(milliseconds(*cost, IterationLoad::one_prefill(80, 90)), 1 + 4.2 + 0.8, 1e-6);
  // 100 tokens have 5,000 pairs, 80 have 3,200 for 4.2 ms, 2 have 2 for 1 ms.
  EXPECT_NEAR(milliseconds(*cost, IterationLoad::one_prefill(100, 100)),
              1 + 4.2 + 3.2 / 3198 * 1800, 1e-6);
}

// Would catch: a division by a form that knows of no costs.
TEST(TableCostModel, GoesOnAtTheEdgeWhereTheFormSaysNothing) {
  const auto cost = read(R"({"kind":"table","tokens":{"tokens":[1,8],"seconds":[0.001,0.002]},
    "beyond":{"kind":"linear"}})");
  EXPECT_DOUBLE_EQ(milliseconds(*cost, decodes(9, 5)), 2);
}

// Would catch: parts without a table that are dropped.
TEST(TableCostModel, TakesMissingPartsFromTheFormBeyond) {
  const auto cost = read(R"({"kind":"table","tokens":{"tokens":[1],"seconds":[1]},
    "beyond":{"kind":"roofline","model":"opt-13b","device":"a100-80g","tp":2}})");
  const RooflineCostModel roofline(load_model_spec(kData, "opt-13b"),
                                   load_device_spec(kData, "a100-80g"), 2);
  const IterationLoad load = decodes(1, 1000);
  const RooflineTerms terms = roofline.terms(load);
  EXPECT_NEAR(milliseconds(*cost, load),
              1000 + 1e3 * (terms.decode_attention_s + terms.output_layer_s + terms.all_reduce_s),
              1e-5);
}

/// A table whose values are those of monotone functions with the given coefficients.
CostTable monotone_table(double base, double slope, double pair, double context) {
  const auto curve = [](std::vector<double> at, auto value) {
    std::vector<double> seconds;
    for (const double x : at) seconds.push_back(value(x));
    return MeasuredCurve(std::move(at), std::move(seconds));
  };
  const auto tokens = [&](double n) { return base + slope * std::max(n, 40.0); };
  CostTable table{"", 0, curve({1, 16, 64, 256}, tokens), {}, {}, {}};
  std::vector<MeasuredGrid::Row> prefills, decoded;
  for (const double c : {8, 64, 128}) {
    prefills.push_back(
        {c, curve(c < 128 ? std::vector<double>{0, c, 3 * c} : std::vector<double>{0},
                  [&](double p) { return base / 10 + slope * c + pair * c * (c / 2 + p); })});
  }
  for (const double b : {1, 8, 32}) {
    decoded.push_back({b, curve({16, 64, 512}, [&](double k) { return base + context * b * k; })});
  }
  table.prefill_attention.emplace(std::move(prefills));
  table.decode_attention.emplace(std::move(decoded));
  return table;
}

// Would catch: a jump or a fall anywhere: at a point, an edge, or where the form beyond takes over.
RC_GTEST_PROP(TableCostModelProperty, OfMonotoneMeasurementsIsMonotoneAndWithoutJumps, ()) {
  const auto small = [](int least, int most) {
    return 1e-6 * static_cast<double>(*rc::gen::inRange(least, most));
  };
  LinearCoefficients form;
  form.iteration_s = small(1, 1000);
  form.prefill_token_s = small(1, 100);
  const TableCostModel cost(
      monotone_table(small(1000, 9000), small(1, 100), small(1, 40) / 20, small(1, 50)),
      LinearCostModel(form));
  const auto earlier = *rc::gen::inRange<std::int64_t>(0, 600);
  const auto chunk = *rc::gen::inRange<std::int64_t>(1, 400);
  const auto at = [&](std::int64_t c, std::int64_t p) {
    return milliseconds(cost, IterationLoad::one_prefill(c, p + c));
  };
  const auto batch = *rc::gen::inRange<std::int64_t>(1, 80);
  const auto context = *rc::gen::inRange<std::int64_t>(1, 1500);
  const auto of = [&](std::int64_t b, std::int64_t k) { return milliseconds(cost, decodes(b, k)); };
  RC_ASSERT(at(chunk + 1, earlier) >= at(chunk, earlier));
  RC_ASSERT(at(chunk, earlier + 1) >= at(chunk, earlier));
  RC_ASSERT(of(batch + 1, context) >= of(batch, context));
  RC_ASSERT(of(batch, context + 1) >= of(batch, context));
  // One token more is never the half more, once there are some.
  if (chunk > 8) RC_ASSERT(at(chunk + 1, earlier) <= 1.5 * at(chunk, earlier));
  if (context > 8) RC_ASSERT(of(batch, context + 1) <= 1.2 * of(batch, context));
}

// Would catch: macro-steps that charge otherwise than single steps.
TEST(TableCostModel, RepeatsAsItChargesOnce) {
  const auto cost = read(kTable);
  IterationLoad load = decodes(2, 12);
  Repeat repeat;
  repeat.most = 40;
  repeat.more_context_tokens = 2;
  std::vector<Time> ends;
  cost->repeat(load, repeat, kOrigin, ends);
  ASSERT_EQ(ends.size(), 40U);
  Time now = kOrigin;
  for (const Time end : ends) {
    now += cost->iteration(load);
    EXPECT_EQ(end, now);
    load.decode_context_tokens += 2;
  }
}

// Would catch: a file that reads back as another table.
TEST(TableCostModel, WrittenDownReadsBackTheSame) {
  const auto first = read(kTable);
  const auto& table = dynamic_cast<const TableCostModel&>(*first).table();
  const std::string members = to_json_members(table);
  const auto second = read("{\"kind\":\"table\"," + members +
                           R"(,"beyond":{"kind":"linear","prefill_token_s":1}})");
  EXPECT_EQ(to_json_members(dynamic_cast<const TableCostModel&>(*second).table()), members);
  EXPECT_EQ(second->iteration(decodes(2, 13)), first->iteration(decodes(2, 13)));
}

// Would catch: tables that are believed although they contradict themselves.
TEST(TableCostModel, RefusesBadTables) {
  const auto refusal = [](const std::string& members) {
    return test::refusal(
        [&] { read(R"({"kind":"table",)" + members + R"(,"beyond":{"kind":"linear"}})"); });
  };
  const std::string good = R"("tokens":{"tokens":[1],"seconds":[1]})";
  EXPECT_EQ(refusal(good), "(accepted)");
  EXPECT_THAT(refusal(R"("iteration_s":1)"), HasSubstr("/tokens: missing"));
  EXPECT_THAT(refusal(R"("tokens":{"tokens":[1,1],"seconds":[1,2]})"),
              HasSubstr("/tokens/tokens: points must ascend, found 1 after 1"));
  EXPECT_THAT(refusal(R"("tokens":{"tokens":[1,2],"seconds":[1]})"),
              HasSubstr("/tokens/seconds: expected 2 values"));
  EXPECT_THAT(refusal(R"("tokens":{"tokens":[1],"seconds":[-1]})"), HasSubstr("/tokens/seconds"));
  EXPECT_THAT(refusal(R"("tokens":{"tokens":[1],"seconds":[0]})"), HasSubstr("above 0"));
  EXPECT_THAT(refusal(R"("tokens":{"tokens":[],"seconds":[]})"), HasSubstr("at least one point"));
  EXPECT_THAT(refusal(good + R"(,"decode_attention":[])"), HasSubstr("at least one row"));
  EXPECT_THAT(
      refusal(good + R"(,"decode_attention":[{"sequences":1,"context":[0],"seconds":[1]}])"),
      HasSubstr("context"));
  EXPECT_THAT(refusal(good + R"(,"decode":1)"), HasSubstr("/decode: unknown key"));
  EXPECT_THAT(refusal(good + R"(,"use":"both")"), HasSubstr("/use: expected one of"));
  EXPECT_THAT(test::refusal([&] { read("{\"kind\":\"table\"," + good + "}"); }),
              HasSubstr("/beyond: missing"));
}

// Would catch: a file whose fit is to charge, charged by its table.
TEST(TableCostModel, LeavesChargingToTheFormWhereTheFileSaysSo) {
  const auto cost = read(R"({"kind":"table","use":"beyond","tokens":{"tokens":[1],"seconds":[9]},
    "beyond":{"kind":"linear","iteration_s":0.003}})");
  EXPECT_DOUBLE_EQ(milliseconds(*cost, decodes(1, 1)), 3);
}

}  // namespace
}  // namespace tokenyard
