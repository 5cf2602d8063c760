#include "experiments/report/cost_report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "experiments/report/gnuplot.hpp"
#include "tests/support/files.hpp"

namespace tokenyard {
namespace {

using ::testing::HasSubstr;

const std::filesystem::path kData = std::filesystem::path(TOKENYARD_SOURCE_DIR) / "models";

// Would catch: plots of other loads than their axes say, of points that were not measured, or a
// form that is not beside its table.
TEST(CostReport, DrawsWhatWasMeasuredBesideTheForm) {
  if (!gnuplot_available()) GTEST_SKIP() << "gnuplot is not installed";
  const test::TemporaryFolder folder;
  const std::string file = folder.write("cost.json", R"({"kind":"table","source":"<made up>",
 "tokens":{"tokens":[1,8],"seconds":[0.010,0.020]},
 "prefill_attention":[{"chunk":1,"earlier":[0,16],"seconds":[0,0.001]},
                      {"chunk":8,"earlier":[0,16],"seconds":[0.002,0.004]}],
 "decode_attention":[{"sequences":1,"context":[16,32],"seconds":[0.001,0.003]},
                     {"sequences":8,"context":[16,32],"seconds":[0.005,0.007]}],
 "beyond":{"kind":"linear","iteration_s":0.009,"decode_sequence_s":0.001}})");
  const auto written = write_cost_report(file, kData, folder.path("out"));
  EXPECT_EQ(written.size(), 13U);
  for (const std::string& each : written) {
    EXPECT_TRUE(std::filesystem::exists(folder.path("out/" + each))) << each;
  }
  const std::string prefill = test::file_content(folder.path("out/plots/cost_prefill.csv"));
  EXPECT_THAT(prefill, HasSubstr("\ntable: 16 tokens before it,8,24,\n"));
  EXPECT_THAT(prefill, HasSubstr("\nform: 0 tokens before it,8,9,\n"));
  const std::string batch = test::file_content(folder.path("out/plots/cost_decode_batch.csv"));
  EXPECT_THAT(batch, HasSubstr("\ntable: 32 tokens of context,8,27,\n"));
  EXPECT_THAT(batch, HasSubstr("\nform: 16 tokens of context,32,41,\n"));
  const std::string context = test::file_content(folder.path("out/plots/cost_decode_context.csv"));
  EXPECT_THAT(context, HasSubstr("\ntable: 8 sequences,16,25,\n"));
  EXPECT_THAT(test::file_content(folder.path("out/report.html")), HasSubstr("&lt;made up&gt;"));
}

// Would catch: a form without a table, which has nothing measured, that is not drawn.
TEST(CostReport, DrawsFormsAlone) {
  if (!gnuplot_available()) GTEST_SKIP() << "gnuplot is not installed";
  const test::TemporaryFolder folder;
  const std::string file = folder.write(
      "cost.json", R"({"kind":"roofline","model":"opt-13b","device":"a100-80g","tp":2})");
  write_cost_report(file, kData, folder.path("out"));
  EXPECT_THAT(test::file_content(folder.path("out/plots/cost_prefill.csv")),
              HasSubstr("\nroofline: 0 tokens before it,4096,"));
}

}  // namespace
}  // namespace tokenyard
