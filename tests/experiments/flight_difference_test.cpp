// A replay that differs says so at the first pass that does, in words.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "sim/kernel/input_error.hpp"
#include "tests/experiments/flights.hpp"
#include "tests/support/integer_cost.hpp"

namespace tokenyard::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kPlan =
    R"({"requests":40,"arrivals":"poisson:rate=20","lengths":"lognormal:prompt_mu=4,)"
    R"(prompt_sigma=1,output_mu=3,output_sigma=1,max=300"})";

class FlightDifference : public testing::Test {
 protected:
  /// The lines of a run of the plan.
  std::vector<std::string> recorded(const std::string& policy) {
    flights::record_run(file_, kPlan, policy,
                        {{"model", "opt-13b"}, {"device", "a100-40g"}, {"max-num-seqs", "4"}});
    return flights::lines_of(made_up::contents(file_));
  }

  ReplayResult replayed(const std::vector<std::string>& lines) {
    flights::write(file_, lines);
    return flights::replay_file(file_);
  }

  made_up::ScratchFolder scratch_;
  std::filesystem::path file_ = scratch_.path() / "flight.jsonl";
};

/// The position of the first line from `from` on that begins so.
std::size_t find_line(const std::vector<std::string>& lines, const std::string& beginning,
                      std::size_t from = 0) {
  while (from < lines.size() && !lines[from].starts_with(beginning)) ++from;
  return from;
}

// Would catch: a difference that is found late, or not at all, or shown at the wrong place. The two
// runs are fed the same until they part, so the pass is where their records part.
TEST_F(FlightDifference, AChangedParameterIsFoundWhereTheDecisionsPart) {
  auto ratio_2 = recorded("mlfq:base_quantum_ms=200,demote=fit,ratio=2");
  const auto ratio_4 = recorded("mlfq:base_quantum_ms=200,demote=fit,ratio=4");
  std::size_t parted = 1;
  while (ratio_2[parted] == ratio_4[parted]) ++parted;
  ASSERT_THAT(ratio_2[parted], StartsWith(R"({"pass":)"));
  ASSERT_GT(parted, 100U);
  ratio_2[0] = ratio_4[0];
  const ReplayResult result = replayed(ratio_2);
  ASSERT_TRUE(result.difference);
  EXPECT_EQ(result.difference->line, parted + 1);
  EXPECT_THAT(ratio_2[parted],
              StartsWith(R"({"pass":)" + std::to_string(result.difference->pass) + ","));
  EXPECT_EQ(result.passes, result.difference->pass);
  EXPECT_NE(result.difference->recorded, result.difference->replayed);
}

// Would catch: a comparison of words alone; words that claim to differ where they do not.
TEST_F(FlightDifference, ADifferenceBeyondTheWordsIsFoundToo) {
  auto lines = recorded("fcfs");
  const std::size_t at = find_line(lines, R"({"pass":25,)");
  const std::size_t digest = lines[at].find(R"("digest":")") + 10;
  lines[at][digest] = lines[at][digest] == '0' ? '1' : '0';
  const ReplayResult result = replayed(lines);
  ASSERT_TRUE(result.difference);
  EXPECT_EQ(result.difference->pass, 25);
  EXPECT_EQ(result.difference->line, at + 1);
  EXPECT_THAT(result.difference->recorded, HasSubstr("(fingerprint "));
  EXPECT_THAT(result.difference->replayed, StartsWith("the same in these words"));
}

// Would catch: events that are read and not fed, or fed wrongly.
TEST_F(FlightDifference, AChangedEventIsFoundAtThePassThatItIsFedTo) {
  const auto lines = recorded("fcfs");
  const struct {
    const char* event;
    const char* from;
    const char* to;
  } changes[] = {
      {R"({"arrival":0,)", R"("prompt_tokens":)", R"("prompt_tokens":1)"},
      {R"({"end":0,)", R"("at_ns":)", R"("at_ns":1)"},
      {R"({"end":)", R"("finished":true)", R"("finished":false)"},
  };
  for (const auto& change : changes) {
    auto tampered = lines;
    std::size_t at = find_line(lines, change.event);
    while (lines[at].find(change.from) == std::string::npos) ++at;
    const std::size_t next_pass = find_line(lines, R"({"pass":)", at);
    tampered[at] = flights::changed(tampered[at], change.from, change.to);
    if (std::string(change.from) == R"("at_ns":)") {
      EXPECT_THROW(replayed(tampered), InputError) << "it ends after it was taken";
      continue;
    }
    const ReplayResult result = replayed(tampered);
    ASSERT_TRUE(result.difference) << change.event;
    EXPECT_EQ(result.difference->line, next_pass + 1) << change.event;
  }
}

// Would catch: passes at one instant that the record has and the replay has not, or the reverse.
TEST_F(FlightDifference, PassesAreNeitherMadeUpNorLeftOut) {
  auto lines = recorded("fcfs");
  const std::size_t at = find_line(lines, R"({"pass":7,)");
  auto fewer = lines;
  fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(at));
  ReplayResult result = replayed(fewer);
  ASSERT_TRUE(result.difference);
  EXPECT_EQ(result.difference->pass, 7);
  EXPECT_EQ(result.difference->recorded, "no such pass");
  auto more = lines;
  more.insert(more.begin() + static_cast<std::ptrdiff_t>(at) + 1, more[at]);
  result = replayed(more);
  ASSERT_TRUE(result.difference);
  EXPECT_EQ(result.difference->pass, 8);
  EXPECT_EQ(result.difference->line, at + 2);
  EXPECT_EQ(result.difference->replayed, "no such pass");
}

// Would catch: words that name the wrong requests. Two at a time: 0 and 1 begin, 2 comes in when 0
// has ended.
TEST(DecisionWords, NameWhoJoinsAndWhoLeaves) {
  const made_up::ScratchFolder scratch;
  const auto file = scratch.path() / "flight.jsonl";
  ServerSettings settings = ample();
  settings.limits.max_num_seqs = 2;
  settings.macro_steps = false;
  flights::record(file,
                  {{.prompt_tokens = 5, .output_tokens = 2},
                   {.prompt_tokens = 6, .output_tokens = 4},
                   {.prompt_tokens = 7, .output_tokens = 1}},
                  "fcfs", IntegerCost(10ms), settings);
  FlightReader reader(file.string());
  std::vector<std::string> sentences;
  while (const auto line = reader.next()) {
    if (const auto* passed = std::get_if<Passed>(&*line)) {
      sentences.push_back(passed->words.sentence());
    }
  }
  EXPECT_THAT(sentences,
              testing::ElementsAre(
                  "iteration 0 of 2 sequences, 11 prompt tokens, with requests 0, 1",
                  "iteration 1 of 2 sequences",
                  "iteration 2 of 2 sequences, 7 prompt tokens, with request 2, without request 0",
                  "iteration 3 of 1 sequence, without request 2", "nothing"));
}

// Would catch: a part of a decision that the fingerprint leaves out.
TEST(DecisionDigest, CoversEveryPartOfADecision) {
  const std::vector<BlockId> table = {BlockId{3}, BlockId{4}, BlockId{5}, BlockId{6}, BlockId{7}};
  const std::vector<BlockId> other = {BlockId{3}, BlockId{4}, BlockId{5}, BlockId{6}, BlockId{8}};
  const std::vector<BlockId> swapped = {BlockId{4}, BlockId{3}, BlockId{5}, BlockId{6}, BlockId{7}};
  Iteration plain;
  plain.slots = {{.request = RequestId{1}, .computed = 9, .new_tokens = 1, .blocks = table},
                 {.request = RequestId{2}, .sequence = 1, .blocks = table}};
  plain.block_copies = {{BlockId{1}, BlockId{2}}};
  plain.copies = {{CopyId{1}, RequestId{5}, CopyDirection::to_host, table, other}};
  const std::vector<std::function<void(Iteration&)>> changes = {
      [](Iteration&) {},
      [](Iteration& it) { it.id = IterationId{1}; },
      [](Iteration& it) { it.begun += 1ns; },
      [](Iteration& it) { it.slots.pop_back(); },
      [](Iteration& it) { std::swap(it.slots[0], it.slots[1]); },
      [](Iteration& it) { it.slots[0].request = RequestId{3}; },
      [](Iteration& it) { ++it.slots[0].place; },
      [](Iteration& it) { ++it.slots[0].sequence; },
      [](Iteration& it) { ++it.slots[0].computed; },
      [](Iteration& it) { ++it.slots[0].new_tokens; },
      [](Iteration& it) { ++it.slots[0].generated; },
      [](Iteration& it) { it.slots[0].prefill = true; },
      [](Iteration& it) { it.slots[0].yields = true; },
      [](Iteration& it) { ++it.slots[0].width; },
      [](Iteration& it) { it.slots[0].beam = true; },
      [](Iteration& it) { it.slots[0].padding = true; },
      [&](Iteration& it) { it.slots[0].blocks = other; },
      [&](Iteration& it) { it.slots[0].blocks = swapped; },
      [&](Iteration& it) { it.slots[0].blocks = it.slots[0].blocks.first(4); },
      [](Iteration& it) { it.block_copies.clear(); },
      [](Iteration& it) { it.block_copies[0].from = BlockId{9}; },
      [](Iteration& it) { it.block_copies[0].to = BlockId{9}; },
      [](Iteration& it) { it.copies.clear(); },
      [](Iteration& it) { it.copies[0].id = CopyId{2}; },
      [](Iteration& it) { it.copies[0].request = RequestId{6}; },
      [](Iteration& it) { it.copies[0].direction = CopyDirection::to_device; },
      [&](Iteration& it) { it.copies[0].device_blocks = swapped; },
      [&](Iteration& it) { it.copies[0].host_blocks = swapped; },
      [](Iteration& it) { ++it.load.prefill_sequences; },
      [](Iteration& it) { ++it.load.prefill_tokens; },
      [](Iteration& it) { ++it.load.prefill_context_tokens; },
      [](Iteration& it) { ++it.load.prefill_context_product; },
      [](Iteration& it) { ++it.load.decode_sequences; },
      [](Iteration& it) { ++it.load.decode_context_tokens; },
      [](Iteration& it) { ++it.load.copied_blocks; },
      [](Iteration& it) { ++it.repeat.most; },
      [](Iteration& it) { it.repeat.until -= 1ns; },
      [](Iteration& it) { it.repeat.length -= 1ns; },
      [](Iteration& it) { ++it.repeat.more_context_tokens; },
      [](Iteration& it) { ++it.repeat.prefill_left; },
      [](Iteration& it) { it = Iteration(); },
  };
  std::map<std::uint64_t, std::size_t> found;
  for (std::size_t i = 0; i < changes.size(); ++i) {
    Iteration changed = plain;
    changes[i](changed);
    DecisionDigest digest;
    digest.add(changed);
    const auto [at, is_new] = found.emplace(digest.value(), i);
    EXPECT_TRUE(is_new) << "changes " << at->second << " and " << i;
  }
  DecisionDigest once, twice;
  once.add({});
  twice.add({});
  twice.add({});
  EXPECT_NE(once.value(), twice.value()) << "passes that decide nothing count";
}

}  // namespace
}  // namespace tokenyard::test
