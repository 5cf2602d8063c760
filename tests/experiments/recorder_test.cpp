#include "experiments/record/recorder.hpp"

#include <gtest/gtest.h>

#include <sstream>

#include "sim/kernel/invariant.hpp"
#include "tests/experiments/made_up.hpp"

namespace tokenyard {
namespace {

using made_up::at_ms;
using made_up::finished;
using made_up::iteration;
using made_up::ms;

// Catches rows in the order of the requests' ends instead of by dense id, and a row that waits
// longer than for the requests before it.
TEST(Recorder, StreamsRequestsInDenseOrder) {
  std::ostringstream out;
  std::string written;
  const RequestLabels note = [&](RequestId id) {
    written += std::to_string(index(id)) + " ";
    return std::string();
  };
  RequestsCsv csv(out, "requests.csv", {note, {}});
  RecorderOptions options;
  options.requests_csv = &csv;
  Recorder recorder(options);
  recorder.ended(finished(2, 30, 0, 1, 1, 2));
  recorder.ended(finished(0, 10, 0, 1, 1, 2));
  EXPECT_EQ(written, "0 ");
  recorder.ended(made_up::rejected(1, 20));
  EXPECT_EQ(written, "0 1 2 ");
  recorder.finish();
  EXPECT_EQ(recorder.ended_requests(), 3);
  EXPECT_EQ(recorder.samples().sums().completed, 2);
}

// Would catch: refusals that are not counted by what their reason says.
TEST(Recorder, CountsRefusalsByReason) {
  Recorder recorder;
  const std::string copy = "too long";  // the same text elsewhere in memory
  for (std::uint32_t id = 0; id < 3; ++id) {
    auto facts = made_up::rejected(id, 0);
    facts.reason = id == 1 ? std::string_view(copy) : "too long";
    recorder.ended(facts);
  }
  recorder.finish();
  const std::map<std::string_view, std::int64_t> expected = {{"too long", 3}};
  EXPECT_EQ(recorder.rejections(), expected);
}

// Catches a request that is lost, ends twice, or whose parts do not make the whole.
TEST(Recorder, RefusesWhatCannotBe) {
  Recorder lost;
  lost.ended(finished(1, 0, 0, 1, 1, 2));
  EXPECT_THROW(lost.finish(), InvariantBroken);

  Recorder twice;
  twice.ended(finished(0, 0, 0, 1, 1, 2));
  EXPECT_THROW(twice.ended(finished(0, 0, 0, 1, 1, 2)), InvariantBroken);
  twice.ended(finished(3, 0, 0, 1, 1, 2));
  EXPECT_THROW(twice.ended(finished(3, 0, 0, 1, 1, 2)), InvariantBroken);

  auto facts = finished(0, 0, 5, 1, 1, 2);
  facts.phases[0] += Duration{1};
  EXPECT_THROW(Recorder{}.ended(facts), InvariantBroken);
}

// Catches an unweighted mean: 40 blocks for 10 ms, none for 10 ms of idling, 80 for 20 ms of a pool
// of 100: (400 + 0 + 1600) / (40 x 100) = 0.5; batches 2 and 4 make 3.
TEST(Recorder, WeighsUtilisationByTime) {
  RecorderOptions options;
  options.kv_blocks_total = 100;
  Recorder recorder(options);
  const auto first = iteration(0, at_ms(0), 2);
  recorder.decided(at_ms(0), first, {.kv_blocks_used = 40, .waiting = 0});
  recorder.completed(at_ms(10), first);
  const auto second = iteration(1, at_ms(20), 4);
  recorder.decided(at_ms(20), second, {.kv_blocks_used = 80, .waiting = 0});
  recorder.completed(at_ms(40), second);
  EXPECT_DOUBLE_EQ(*recorder.kv_utilization_mean(), 0.5);
  EXPECT_DOUBLE_EQ(*recorder.batch_mean(), 3);
  EXPECT_EQ(recorder.iterations(), 2);
}

// Catches blocks forgotten that a decision without slots says are still held (a held request).
TEST(Recorder, CountsBlocksHeldWhileIdle) {
  RecorderOptions options;
  options.kv_blocks_total = 10;
  Recorder recorder(options);
  const auto first = iteration(0, at_ms(0), 1);
  recorder.decided(at_ms(0), first, {.kv_blocks_used = 10, .waiting = 0});
  recorder.completed(at_ms(10), first);
  recorder.decided(at_ms(10), Iteration{}, {.kv_blocks_used = 5, .waiting = 0});
  recorder.decided(at_ms(20), Iteration{}, {.kv_blocks_used = 0, .waiting = 0});
  EXPECT_DOUBLE_EQ(*recorder.kv_utilization_mean(), 0.75);
  EXPECT_EQ(recorder.iterations(), 1);
}

// Catches warm-up samples in the statistics: only the second half counts.
TEST(Recorder, LeavesTheWarmupOutOfItsMeans) {
  RecorderOptions options;
  options.kv_blocks_total = 10;
  options.warmup = at_ms(20);
  Recorder recorder(options);
  const auto first = iteration(0, at_ms(0), 8);
  recorder.fed(at_ms(0), {});
  recorder.decided(at_ms(0), first, {.kv_blocks_used = 10, .waiting = 0});
  recorder.fed(at_ms(10), {});
  recorder.token_gaps(at_ms(10), ms(10), 8);
  recorder.completed(at_ms(10), first);
  const auto second = iteration(1, at_ms(20), 2);
  recorder.fed(at_ms(20), {});
  recorder.decided(at_ms(20), second, {.kv_blocks_used = 4, .waiting = 0});
  recorder.fed(at_ms(30), {});
  recorder.token_gaps(at_ms(30), ms(10), 2);
  recorder.completed(at_ms(30), second);
  EXPECT_DOUBLE_EQ(*recorder.kv_utilization_mean(), 0.4);
  EXPECT_DOUBLE_EQ(*recorder.batch_mean(), 2);
  EXPECT_EQ(recorder.gaps().total(), 2);
}

// Would catch: iterations of a macro-step that are weighed or counted otherwise than one by one,
// also where the warm-up or the end of what counts lies among them.
TEST(Recorder, TakesStepsTogetherAsOneByOne) {
  for (const int warmup_ms : {0, 25, 60}) {
    for (const int until_ms : {35, 50, 1000}) {
      RecorderOptions options;
      options.kv_blocks_total = 100;
      options.kv_block_size = 8;
      options.warmup = at_ms(warmup_ms);
      options.until = at_ms(until_ms);
      Recorder together(options), one_by_one(options);
      const auto batch = iteration(0, at_ms(0), 3);
      const IterationFacts facts{.kv_blocks_used = 40, .kv_blocks_saved = 2, .kv_tokens_unused = 9};
      const StepFacts steps[] = {{at_ms(10), 41, 8}, {at_ms(30), 42, 7}, {at_ms(40), 44, 6}};
      together.decided(at_ms(0), batch, facts);
      together.token_gaps(at_ms(10), ms(9), 3);
      together.stepped(batch, 3, steps);
      one_by_one.decided(at_ms(0), batch, facts);
      one_by_one.token_gaps(at_ms(10), ms(9), 3);
      for (std::size_t i = 0; i < 3; ++i) {
        const Time at = steps[i].at;
        if (i > 0) one_by_one.token_gaps(at, at - steps[i - 1].at, 3);
        one_by_one.completed(at, batch);
        IterationFacts next = facts;
        next.kv_blocks_used = steps[i].kv_blocks_used;
        next.kv_tokens_unused = steps[i].kv_tokens_unused;
        one_by_one.decided(at, batch, next);
      }
      for (Recorder* recorder : {&together, &one_by_one}) recorder->completed(at_ms(55), batch);
      EXPECT_EQ(together.iterations(), 4);
      EXPECT_EQ(one_by_one.iterations(), 4);
      EXPECT_EQ(together.computed_tokens(), one_by_one.computed_tokens());
      EXPECT_EQ(together.gaps().sorted(), one_by_one.gaps().sorted());
      EXPECT_EQ(together.kv_utilization_mean(), one_by_one.kv_utilization_mean());
      EXPECT_EQ(together.kv_waste_mean(), one_by_one.kv_waste_mean());
      EXPECT_EQ(together.kv_saved_mean(), one_by_one.kv_saved_mean());
      EXPECT_EQ(together.batch_mean(), one_by_one.batch_mean());
    }
  }
}

// Catches NaN where nothing ran.
TEST(Recorder, SaysNothingOfAnEmptyRun) {
  const Recorder recorder;
  EXPECT_FALSE(recorder.kv_utilization_mean());
  EXPECT_FALSE(recorder.batch_mean());
}

// Catches averages over iterations instead of time, and a wrong denominator. By hand: 10 ms with 4
// blocks of 8 tokens (3 saved, 8 places empty), then 30 ms with 2 (1 saved, 1 empty): waste
// (80 + 30)/(8 x 100), saved (30 + 30)/(100 + 60).
TEST(Recorder, WeighsWasteAndSharingByTime) {
  RecorderOptions options;
  options.kv_block_size = 8;
  Recorder recorder(options);
  const auto first = iteration(0, at_ms(0), 2);
  recorder.decided(at_ms(0), first,
                   {.kv_blocks_used = 4, .kv_blocks_saved = 3, .kv_tokens_unused = 8});
  recorder.completed(at_ms(10), first);
  const auto second = iteration(1, at_ms(10), 2);
  recorder.decided(at_ms(10), second,
                   {.kv_blocks_used = 2, .kv_blocks_saved = 1, .kv_tokens_unused = 1});
  recorder.completed(at_ms(40), second);
  EXPECT_DOUBLE_EQ(*recorder.kv_waste_mean(), 110.0 / 800);
  EXPECT_DOUBLE_EQ(*recorder.kv_saved_mean(), 60.0 / 160);
}

// Would catch: wrong columns, rows mixed up when two iterations are in flight at once, and levels
// read at an iteration's end instead of its beginning.
TEST(Recorder, StreamsIterations) {
  std::ostringstream out;
  RecorderOptions options;
  options.iterations_csv = &out;
  LevelCounts levels = {2, 0, 1};
  options.level_counts = {&levels, 1};
  Recorder recorder(options);
  auto first = iteration(0, at_ms(0), 2);
  first.load.add_prefill(128, 128);
  const auto second = iteration(1, at_ms(5), 3);
  recorder.decided(at_ms(0), first,
                   {.kv_blocks_used = 7,
                    .kv_blocks_shared = 1,
                    .kv_blocks_saved = 2,
                    .kv_blocks_cached = 3,
                    .kv_blocks_draining = 4,
                    .kv_tokens_unused = 5,
                    .waiting = 4});
  levels = {0, 3};
  recorder.decided(at_ms(5), second, {.kv_blocks_used = 9, .waiting = 1});
  recorder.completed(at_ms(10), first);
  recorder.completed(at_ms(1015), second);
  recorder.finish();
  EXPECT_EQ(out.str(),
            "start_s,duration_s,batch,prefill_tokens,decode_tokens,kv_blocks_used,swapped_in,"
            "swapped_out,waiting,kv_blocks_shared,kv_blocks_saved,kv_blocks_cached,"
            "kv_blocks_draining,kv_tokens_unused,level_requests\n"
            "0.000000000,0.010000000,2,128,2,7,0,0,4,1,2,3,4,5,2;0;1\n"
            "0.005000000,1.010000000,3,0,3,9,0,0,1,0,0,0,0,0,0;3\n");
}

}  // namespace
}  // namespace tokenyard
