#include "experiments/sweep/sweep_plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "experiments/record/result_folder.hpp"
#include "experiments/sweep/cells.hpp"
#include "experiments/sweep/options.hpp"
#include "sim/kernel/input_error.hpp"
#include "tests/experiments/made_up.hpp"

namespace tokenyard {
namespace {

namespace fs = std::filesystem;
using made_up::ScratchFolder;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kWorkload =
    R"({"requests":20,"arrivals":"poisson:rate=1","lengths":"sharegpt-like"})";
constexpr const char* kOptions = R"("options":{"model":"opt-13b","device":"a100-40g"})";

/// A plan in a folder of its own.
class SweepPlans : public testing::Test {
 protected:
  SweepPlan read(const std::string& text) {
    write_text_file(scratch_.path() / "p.json", text);
    return read_sweep_plan((scratch_.path() / "p.json").string());
  }

  /// A plan over the workload above with these further keys.
  std::vector<SweepCell> cells(const std::string& keys) {
    return cells_of(
        read(std::string("{\"trace\":") + kWorkload + "," + kOptions + "," + keys + "}"),
        std::nullopt);
  }

  /// The message of a plan that is refused, from the file's name on.
  std::string refusal(const std::string& text) {
    try {
      cells_of(read(text), std::nullopt);
    } catch (const InputError& error) {
      const std::string message = error.what();
      return message.substr(std::min(message.find("p.json"), message.size()));
    }
    return "";
  }

  ScratchFolder scratch_;
};

std::vector<std::string> labels_of(const std::vector<SweepCell>& cells) {
  std::vector<std::string> labels;
  for (const SweepCell& cell : cells) labels.push_back(cell.name.label);
  return labels;
}

// Would catch: axes in another order, a cell that is lost or made twice, and labels that do not
// tell cells apart.
TEST_F(SweepPlans, CellsAreTheProductInAFixedOrder) {
  EXPECT_THAT(labels_of(cells(
                  R"("variants":{"tight":{"kv-blocks":300},"ample":{}},"systems":["vllm","orca"],
                         "policies":["fcfs","srpt"],"request_rates":[1,2.5],"seeds":[7,3])")),
              ElementsAre("tight fcfs@vllm rate=1 seed=7", "tight fcfs@vllm rate=1 seed=3",
                          "tight fcfs@vllm rate=2.5 seed=7", "tight fcfs@vllm rate=2.5 seed=3",
                          "tight srpt@vllm rate=1 seed=7", "tight srpt@vllm rate=1 seed=3",
                          "tight srpt@vllm rate=2.5 seed=7", "tight srpt@vllm rate=2.5 seed=3",
                          "tight fcfs@orca rate=1 seed=7", "tight fcfs@orca rate=1 seed=3",
                          "tight fcfs@orca rate=2.5 seed=7", "tight fcfs@orca rate=2.5 seed=3",
                          "tight srpt@orca rate=1 seed=7", "tight srpt@orca rate=1 seed=3",
                          "tight srpt@orca rate=2.5 seed=7", "tight srpt@orca rate=2.5 seed=3",
                          "ample fcfs@vllm rate=1 seed=7", "ample fcfs@vllm rate=1 seed=3",
                          "ample fcfs@vllm rate=2.5 seed=7", "ample fcfs@vllm rate=2.5 seed=3",
                          "ample srpt@vllm rate=1 seed=7", "ample srpt@vllm rate=1 seed=3",
                          "ample srpt@vllm rate=2.5 seed=7", "ample srpt@vllm rate=2.5 seed=3",
                          "ample fcfs@orca rate=1 seed=7", "ample fcfs@orca rate=1 seed=3",
                          "ample fcfs@orca rate=2.5 seed=7", "ample fcfs@orca rate=2.5 seed=3",
                          "ample srpt@orca rate=1 seed=7", "ample srpt@orca rate=1 seed=3",
                          "ample srpt@orca rate=2.5 seed=7", "ample srpt@orca rate=2.5 seed=3"));
}

// Would catch: labels that name what does not vary, and systems that lose their own policy.
TEST_F(SweepPlans, LabelsNameWhatVaries) {
  EXPECT_THAT(labels_of(cells(R"("policies":["fcfs"],"request_rates":[2],"seeds":1)")),
              ElementsAre("fcfs"));
  EXPECT_THAT(labels_of(cells(R"("systems":["vllm","orca"])")), ElementsAre("vllm", "orca"));
  EXPECT_THAT(labels_of(cells(R"("policies":["fcfs"],"seeds":2)")),
              ElementsAre("fcfs seed=1", "fcfs seed=2"));
}

// Would catch: a variant's trace that loses the plan's own keys, or that other variants get too.
TEST_F(SweepPlans, VariantsMayLayTheirTraceOverThePlans) {
  const auto made = cells(
      R"("policies":["fcfs"],"variants":{"one":{},"two":{"trace":{"n":2},"max-num-seqs":8}})");
  ASSERT_EQ(made.size(), 2U);
  EXPECT_EQ(made[0].run.trace, kWorkload);
  EXPECT_EQ(made[1].run.trace,
            std::string(kWorkload).insert(std::strlen(kWorkload) - 1, ",\"n\":2"));
}

// Would catch: a count of requests that goes to another rate than its own.
TEST_F(SweepPlans, RatesMayHaveTheirOwnNumbersOfRequests) {
  const auto made = cells(R"("policies":["fcfs"],"request_rates":[2,0.5],"requests":[20,5])");
  ASSERT_EQ(made.size(), 2U);
  const auto limit_of = [](const SweepCell& cell) {
    std::string limit;
    for (const GivenSetting& given : cell.run.settings) {
      if (given.name == "limit") limit = given.value;
    }
    return limit;
  };
  EXPECT_EQ(limit_of(made[0]), "20");
  EXPECT_EQ(limit_of(made[1]), "5");
}

// Would catch: labels of which two become one folder.
TEST_F(SweepPlans, FoldersAreDistinct) {
  const auto made = cells(R"("policies":["fcfs"],"variants":{"A":{},"a":{}})");
  EXPECT_EQ(made[0].name.folder, "A-fcfs");
  EXPECT_EQ(made[1].name.folder, "a-fcfs-2");
}

// Would catch: a variant that does not win over the options, an option that is lost on the way to
// the command line, and words that a shell would take apart.
TEST_F(SweepPlans, CellsAreCommandLines) {
  const auto made = cells(
      R"("policies":["srpt"],"systems":["vllm"],"request_rates":[0.1],"seeds":[4],
         "variants":{"v":{"device":"a100-80g","evict":"swap","proactive_swap":true,"zero":"clamp",
                          "look-past":false,"timeline":true}})");
  ASSERT_EQ(made.size(), 1U);
  EXPECT_EQ(made[0].request_rate, 0.1);
  EXPECT_EQ(shell_line(run_words(made[0].run)),
            std::string("run '") + kWorkload +
                "' srpt --system vllm --model opt-13b --device a100-80g --evict swap "
                "--proactive-swap --request-rate 0.1 --zero clamp --seed 4 --timeline");
  EXPECT_EQ(shell_line({"a b", "", "it's", "plain-1.0"}), R"('a b' '' 'it'\''s' plain-1.0)");
}

// Would catch: a limit on the command line that loses against the plan's.
TEST_F(SweepPlans, AnExplicitLimitWins) {
  const SweepPlan plan = read(std::string("{\"trace\":") + kWorkload +
                              R"(,"policies":["fcfs"],"options":{"model":"opt-13b",)"
                              R"("device":"a100-40g","limit":9}})");
  EXPECT_THAT(shell_line(run_words(cells_of(plan, std::nullopt)[0].run)), HasSubstr("--limit 9"));
  EXPECT_THAT(shell_line(run_words(cells_of(plan, 5)[0].run)), HasSubstr("--limit 5"));
}

// Would catch: a trace that is found only from one folder, or a plan's neighbour that loses.
TEST_F(SweepPlans, LooksBesideThePlanFirst) {
  write_text_file(scratch_.path() / "t.csv", "id,arrival_ns,input_tokens,output_tokens\na,0,9,9\n");
  const std::string rest = std::string(R"(,"policies":["fcfs"],)") + kOptions + "}";
  EXPECT_EQ(read(R"({"trace":"t.csv")" + rest).variants.front().trace,
            (scratch_.path() / "t.csv").string());
  EXPECT_EQ(read("{\"trace\":\"" + (scratch_.path() / "t.csv").string() + "\"" + rest)
                .variants.front()
                .trace,
            (scratch_.path() / "t.csv").string());
  EXPECT_THAT(refusal(R"({"trace":"none.csv")" + rest),
              HasSubstr("p.json:1: /trace: 'none.csv' is neither in the plan's folder"));
}

// Would catch: faults that are taken, or reported without their place.
TEST_F(SweepPlans, AreStrict) {
  const std::string head = std::string("{\"trace\":") + kWorkload + ",";
  const std::string whole = head + R"("policies":["fcfs"],)" + kOptions;
  const std::pair<std::string, std::string> faults[] = {
      {whole + ",\n\"polices\":[]}", "p.json:2: /polices: unknown key (did you mean 'policies'?)"},
      {head + kOptions + "}", "no policy and no system is named"},
      {head + R"("policies":["fifo"]})", "/policies: unknown policy 'fifo'"},
      {head + R"("policies":["fcfs","fcfs"]})", "/policies: 'fcfs' is given twice"},
      {head + R"("systems":["vlm"]})", "/systems: unknown system 'vlm' (did you mean 'vllm'?)"},
      {whole + R"(,"request_rates":[1,0]})", "/request_rates/1: expected a number"},
      {whole + R"(,"request_rates":[]})", "/request_rates: names none"},
      {whole + R"(,"request_rates":[1,1.0]})", "/request_rates: '1' is given twice"},
      {whole + R"(,"seeds":0})", "/seeds: expected an integer from 1"},
      {whole + R"(,"seeds":[1,1]})", "/seeds: '1' is given twice"},
      {whole + R"(,"variants":{}})", "/variants: names none"},
      {whole + R"(,"variants":{"a b":{}}})", "/variants/a b: a variant's name"},
      {whole + R"(,"variants":{"a":{"evct":"swap"}}})",
       "/variants/a/evct: evct: unknown setting 'evct' (did you mean 'evict'?)"},
      {whole + R"(,"variants":{"a":{"evict":"never"}}})", "/variants/a/evict: evict: expected"},
      {whole + R"(,"variants":{"a":{"zero":"maybe"}}})", "/variants/a/zero: "},
      {whole + R"(,"variants":{"a":{"seed":-1}}})", "/variants/a/seed: expected an integer"},
      {whole + R"(,"variants":{"a":{"out":"x"}}})", "/variants/a/out: belongs to the command line"},
      {whole + R"(,"variants":{"a":{"system":"x"}}})", "/variants/a/system: is an axis"},
      {whole + R"(,"variants":{"a":{"tp":1,"tp":1}}})", "duplicate"},
      {whole + R"(,"variants":{"a":{"kv-blocks":1,"kv_blocks":1}}})",
       "/variants/a/kv_blocks: is given twice"},
      {whole + R"(,"request_rates":[1],"variants":{"a":{"request-rate":1}}})",
       "/variants/a/request-rate: the plan has \"request_rates\""},
      {whole + R"(,"seeds":2,"variants":{"a":{"seed":1}}})",
       "/variants/a/seed: the plan has \"seeds\""},
      {whole + R"(,"variants":{"a":{"proactive-swap":true}}})",
       "p.json: cell 'fcfs': --proactive-swap needs --evict swap"},
      {whole + R"(,"systems":["fastserve"],"variants":{"a":{"proactive-swap":false}}})",
       "p.json: cell 'fcfs': 'proactive-swap' is on in the system 'fastserve'"},
      {head + R"("policies":["fcfs"]})", "p.json: cell 'fcfs': what does an iteration cost?"},
      {R"({"trace":{"requests":0,"arrivals":"burst:","lengths":"alpaca-like"}})",
       "p.json:1: /trace/requests: expected"},
      {R"({"trace":{"requests":1,"arrivals":"brst:","lengths":"alpaca-like"}})",
       "p.json:1: /trace/arrivals: unknown arrivals 'brst'"},
      {R"({"policies":["fcfs"]})", "p.json:1: /trace: missing"},
  };
  const std::string rest = std::string(R"("policies":["fcfs"],"trace":)") + kWorkload + "}";
  EXPECT_THAT(refusal(R"({"request_rates":[1,2],"requests":[5],)" + rest),
              HasSubstr("/requests: 1 numbers for 2 request rates"));
  EXPECT_THAT(refusal(R"({"request_rates":[1,2],"requests":[5,21],)" + rest),
              HasSubstr("/requests: 21, and the trace has 20"));
  EXPECT_THAT(refusal(R"({"request_rates":[1],"requests":[5],"options":{"limit":3},)" + rest),
              HasSubstr("/options/limit: the plan has"));
  EXPECT_THAT(refusal(R"({"options":{"trace":{}},)" + rest), HasSubstr("/options/trace: stands"));
  EXPECT_THAT(refusal(R"({"variants":{"v":{"trace":{"lengths":"none"}}},)" + rest),
              HasSubstr("/variants/v/trace"));
  for (const auto& [text, message] : faults) EXPECT_THAT(refusal(text), HasSubstr(message)) << text;
}

// Would catch: seeds of a recorded trace, which would all be the same run.
TEST_F(SweepPlans, RefuseSeedsOfARecordedTrace) {
  write_text_file(scratch_.path() / "t.csv", "id,arrival_ns,input_tokens,output_tokens\na,0,9,9\n");
  EXPECT_THAT(
      refusal(std::string(R"({"trace":"t.csv","policies":["fcfs"],"seeds":2,)") + kOptions + "}"),
      HasSubstr("/seeds: a recorded trace has no sampling error"));
}

// Would catch: resamples of a recorded trace that cannot have seeds, or only in some variants.
TEST_F(SweepPlans, TakeSeedsOfResamples) {
  write_text_file(scratch_.path() / "t.csv", "id,arrival_ns,input_tokens,output_tokens\na,0,9,9\n");
  const auto plan = [](const std::string& variants) {
    return std::string(R"({"trace":"t.csv","policies":["fcfs"],"seeds":2,"variants":{)") +
           variants + "}," + kOptions + "}";
  };
  const std::string drawn = R"("a":{"resample":"blocks:60"})";
  write_text_file(scratch_.path() / "p.json", plan(drawn));
  EXPECT_EQ(read_sweep_plan((scratch_.path() / "p.json").string()).seeds.size(), 2U);
  EXPECT_THAT(refusal(plan(drawn + R"(,"b":{})")), HasSubstr("/seeds: a recorded trace has no"));
  EXPECT_THAT(refusal(plan(R"("a":{"resample":"60"})")), HasSubstr("blocks:SECONDS"));
}

// Would catch: a plan of the repository that no longer reads.
TEST_F(SweepPlans, ThoseOfTheRepositoryAreGood) {
  std::size_t found = 0;
  for (const auto& entry :
       fs::directory_iterator(TOKENYARD_SOURCE_DIR "/experiments/configs/plans")) {
    EXPECT_FALSE(cells_of(read_sweep_plan(entry.path().string()), std::nullopt).empty());
    ++found;
  }
  EXPECT_GE(found, 1U);
}

}  // namespace
}  // namespace tokenyard
