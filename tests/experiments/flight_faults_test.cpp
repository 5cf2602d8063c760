// Records that are damaged or lie: one line that says where, and never more harm than that.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/kernel/input_error.hpp"
#include "sim/kernel/rng.hpp"
#include "tests/experiments/flights.hpp"
#include "tests/support/integer_cost.hpp"

namespace tokenyard::test {
namespace {

using testing::HasSubstr;

class FlightFaults : public testing::Test {
 protected:
  /// A small record in which everything occurs: swapping, samples, beams, a cancellation, hashes,
  /// macro-steps.
  FlightFaults() {
    const auto trace = scratch_.path() / "trace.jsonl";
    std::string text = R"({"meta":{"block_tokens":4}})";
    constexpr const char* kOptions[] = {
        "", R"(,"n":2,"output_tokens":[9,5])", R"(,"beam_width":2,"output_tokens":6)",
        R"(,"cancel_after_ns":9000000,"output_tokens":40)", R"(,"tenant":"x","output_tokens":30)"};
    for (int i = 0; i < 12; ++i) {
      const std::string options = kOptions[i % 5];
      text += "\n{\"id\":" + std::to_string(i) + R"(,"arrival_ns":)" + std::to_string(i * 3000000) +
              R"(,"input_tokens":12,"block_hashes":[1,2,)" + std::to_string(i % 2) + "]" +
              (options.find("output_tokens") == std::string::npos ? R"(,"output_tokens":20)" : "") +
              options + "}";
    }
    flights::write(trace, text + "\n");
    const auto cost = scratch_.path() / "cost.json";
    flights::write(cost, R"({"kind":"linear","iteration_s":0.002,"swap_block_s":0.0005})");
    flights::record_run(file_, trace.string(), "skip-join-mlfq:base_quantum_ms=6",
                        {{"cost", cost.string()},
                         {"kv-blocks", "24"},
                         {"block-size", "4"},
                         {"host-blocks", "40"},
                         {"evict", "swap"},
                         {"proactive-swap", "true"},
                         {"enable-prefix-caching", "true"},
                         {"max-num-seqs", "6"}});
    text_ = made_up::contents(file_);
    lines_ = flights::lines_of(text_);
  }

  /// What is said of a record of these lines; "" where it can be replayed.
  std::string fault_of(const std::string& text) {
    flights::write(file_, text);
    try {
      flights::replay_file(file_);
      return "";
    } catch (const InputError& error) {
      return error.what();
    }
  }

  std::string with_line(std::size_t at, const std::string& from, const std::string& to) {
    auto lines = lines_;
    lines.at(at) = flights::changed(lines.at(at), from, to);
    std::string text;
    for (const std::string& line : lines) text += line + "\n";
    return text;
  }

  /// The position of the first line with such a part.
  std::size_t line_with(const std::string& part) const {
    std::size_t at = 0;
    while (at < lines_.size() && lines_[at].find(part) == std::string::npos) ++at;
    return at;
  }

  made_up::ScratchFolder scratch_;
  std::filesystem::path file_ = scratch_.path() / "flight.jsonl";
  std::string text_;
  std::vector<std::string> lines_;
};

// Would catch: a test record that leaves something out.
TEST_F(FlightFaults, TheRecordHasEverything) {
  for (const char* part :
       {R"("gaps_ns":[)", R"("finished":true)", R"("parent":)", R"({"copy":)", R"({"cancel":)",
        R"("width":2)", R"("beams":true)", R"("prompt_hashes":")", R"("tenant":1)", R"("left":[)",
        R"("copied_out":[)", R"("copied_in":[)", R"("block_copies":)", R"("repeat":)",
        R"({"passes":)"}) {
    EXPECT_THAT(text_, HasSubstr(part));
  }
  EXPECT_EQ(fault_of(text_), "");
}

// Would catch: a fault that is taken, or told without its place.
TEST_F(FlightFaults, AreToldWithFileLineAndField) {
  const auto place = [&](std::size_t at, const std::string& what) {
    return file_.string() + ":" + std::to_string(at + 1) + ": " + what;
  };
  const struct {
    std::string part;  ///< of the line
    std::string from, to;
    std::string message;
  } faults[] = {
      {R"({"flight":)", R"("flight":1)", R"("flight":2)", "/flight: expected an integer from 1"},
      {R"({"flight":)", R"("flight":1)", R"("meta":1)", "/flight: missing; a flight record"},
      {R"({"flight":)", "skip-join-mlfq", "skip-joni-mlfq", "unknown policy 'skip-joni-mlfq'"},
      {R"({"flight":)", R"("kv-blocks":24)", R"("kv-blocks":0)", "/settings/kv-blocks: "},
      {R"({"flight":)", R"("kv-blocks":24,)", "", "no kv-blocks are given"},
      {R"({"flight":)", R"("evict":"swap")", R"("evict":"recompute")", "--proactive-swap needs"},
      {R"({"flight":)", R"("iteration_s")", R"("iteration")", "/iteration: unknown key"},
      {R"({"flight":)", R"("depth":1)", R"("depth":0)", "/depth: expected an integer from 1"},
      {R"({"arrival":0)", R"("prompt_tokens":12)", R"("prompt_tokens":0)", "/prompt_tokens: "},
      {R"({"arrival":0)", R"("output_tokens")", R"("output_token")", "/output_tokens: missing"},
      {R"({"arrival":0)", R"({"arrival":0)", R"({"arrival":99999999)", "/arrival: expected"},
      {R"({"arrival":1)", R"({"arrival":1)", R"({"arrival":0)",
       "/arrival: request 0 is there already"},
      {R"("prompt_hashes")", R"("prompt_hashes":")", R"("prompt_hashes":"x)",
       "/prompt_hashes: expected 16 hexadecimal digits a block"},
      {R"({"end":0)", R"({"end":0)", R"({"end":7)", "/end: iteration 7 is not running"},
      {R"("gaps_ns":[)", R"("gaps_ns":[)", R"("gaps_ns":[9000000000000,)", "/gaps_ns: they are"},
      {R"("slot":0)", R"("slot":0)", R"("slot":77)", "slot"},
      {R"({"cancel":3})", "3", "-3", "/cancel: expected"},
      {R"("fed_ns")", R"("due":1)", R"("due":2)", "/due: there are 1 events above"},
      {R"("fed_ns":4000000,)", R"("fed_ns":4000000)", R"("fed_ns":0)", "/fed_ns: earlier than"},
      {R"({"pass":3,)", R"({"pass":3,)", R"({"pass":4,)", "/pass: expected 3: lines are lacking"},
      {R"({"pass":3,)", R"("digest":")", R"("digest":"0)", "/digest: expected 16"},
      {R"({"passes")", R"({"passes":)", R"({"passes":1)", "/passes: "},
      {R"({"cancel":3})", "cancel", "cancels",
       "expected an event (end, stage_free, copy, cancel, arrival)"},
      {R"({"cancel":3})", "3}", R"(3,"x":1})", "/x: unknown key"},
  };
  for (const auto& fault : faults) {
    const std::size_t at = line_with(fault.part);
    ASSERT_LT(at, lines_.size()) << fault.part;
    const std::string said = fault_of(with_line(at, fault.from, fault.to));
    EXPECT_THAT(said, testing::StartsWith(place(at, ""))) << fault.from << " -> " << fault.to;
    EXPECT_THAT(said, HasSubstr(fault.message));
    EXPECT_EQ(said.find('\n'), std::string::npos) << said;
  }
  EXPECT_THAT(fault_of(text_ + lines_[1] + "\n"), HasSubstr("nothing may follow the end"));
  EXPECT_THAT(fault_of(lines_[0] + "\n" + lines_[line_with(R"({"pass":0)")] + "\n"),
              HasSubstr("/pass: nothing was fed to this pass"));
  EXPECT_THAT(fault_of(""), HasSubstr("the file is empty"));
}

// Would catch: an invariant of the scheduler that a lie breaks, told as a fault of the program.
TEST_F(FlightFaults, ABrokenInvariantIsAFaultOfTheRecord) {
  const std::size_t at = line_with(R"({"copy":0,)");
  const std::string said = fault_of(with_line(at, R"({"copy":0,)", R"({"copy":99,)"));
  EXPECT_THAT(said, HasSubstr("the scheduler cannot be fed this: invariant broken: I6"));
}

// Would catch: a record that a killed run left, and that cannot be read or is taken for whole.
TEST_F(FlightFaults, EveryPrefixIsReplayedAsFarAsItGoes) {
  std::int64_t passes = 0;
  for (std::size_t size = 1; size < text_.size(); ++size) {
    flights::write(file_, text_.substr(0, size));
    if (size < lines_[0].size()) {
      EXPECT_THROW(FlightReader(file_.string()), InputError) << size;
      continue;
    }
    const ReplayResult result = flights::replay_file(file_);
    EXPECT_FALSE(result.difference);
    EXPECT_EQ(result.complete, size == text_.size() - 1) << "only its line's end is lacking";
    EXPECT_EQ(result.broke_off, text_[size - 1] != '\n' && text_[size] != '\n') << size;
    EXPECT_GE(result.passes, passes);
    passes = result.passes;
  }
  EXPECT_GT(passes, 20);
}

// Would catch: a crash, a hang, memory out of all proportion, or any other exception.
TEST_F(FlightFaults, ChangedBytesDoNoHarm) {
  Rng rng(20261121);
  std::int64_t refused = 0;
  std::int64_t differ = 0;
  constexpr int kTimes = 3000;
  for (int i = 0; i < kTimes; ++i) {
    std::string text = text_;
    for (std::uint64_t changes = 1 + rng() % 3; changes > 0; --changes) {
      const std::size_t at = rng() % text.size();
      switch (rng() % 4) {
        case 0:
          text[at] = static_cast<char>(rng() % 256);
          break;
        case 1:
          text[at] = static_cast<char>('0' + rng() % 10);
          break;
        case 2:
          text.erase(at, 1 + rng() % 40);
          break;
        default:
          text.insert(at, text.substr(rng() % text.size(), 1 + rng() % 40));
      }
    }
    flights::write(file_, text);
    try {
      differ += flights::replay_file(file_).difference ? 1 : 0;
    } catch (const InputError&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, kTimes / 4);
  EXPECT_GT(differ, kTimes / 50);
}

// Would catch: `run --record` that records one of several runs, or writes over its own input.
TEST_F(FlightFaults, RecordTakesOneRunAndSparesItsInput) {
  RunPlan plan;
  plan.trace = R"({"requests":5,"arrivals":"uniform:rate=1","lengths":"fixed:prompt=9,output=3"})";
  plan.policies = {"fcfs", "srpt"};
  plan.quiet = true;
  plan.record = (scratch_.path() / "new.jsonl").string();
  for (const auto& [name, value] :
       std::map<std::string, std::string>{{"model", "opt-13b"}, {"device", "a100-40g"}}) {
    plan.settings.push_back({name, value, name});
  }
  const auto said = [&] {
    try {
      run(plan, nullptr);
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_THAT(said(), HasSubstr("--record takes one run, and here are 2"));
  plan.policies = {"fcfs"};
  plan.repeat = 3;
  EXPECT_THAT(said(), HasSubstr("--record takes one run, and here are 3"));
  EXPECT_FALSE(std::filesystem::exists(plan.record));
  plan.repeat = 1;
  EXPECT_EQ(said(), "");
  plan.trace = (scratch_.path() / "trace.jsonl").string();
  plan.record = (scratch_.path() / "./trace.jsonl").string();
  EXPECT_THAT(said(), HasSubstr("would write over what the run reads"));
  plan.record = (scratch_.path() / "nowhere" / "x").string();
  EXPECT_THAT(said(), HasSubstr("cannot be written"));
}

}  // namespace
}  // namespace tokenyard::test
