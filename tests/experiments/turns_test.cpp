#include "experiments/validate/turns.hpp"

#include <gtest/gtest.h>

#include <string>

namespace tokenyard {
namespace {

/// Writes down who went when. A round takes a second.
class Diary final : public TurnTaker {
 public:
  Duration round() override {
    told += 'r';
    return std::chrono::seconds(1);
  }
  void ready(std::int64_t rounds_to_come) override {
    told += " [" + std::to_string(rounds_to_come) + "]";
  }
  void live(std::size_t policy) override { told += ' ' + std::to_string(policy); }

  std::string told;
};

std::string told(std::int64_t rounds_first, std::int64_t seconds, std::int64_t rounds_most = 25) {
  Diary diary;
  TurnPlan plan;
  plan.policies = 2;
  plan.repetitions = 2;
  plan.rounds_first = rounds_first;
  plan.rounds_most = rounds_most;
  plan.allowed = std::chrono::seconds(seconds);
  take_turns(plan, diary);
  return diary.told;
}

// Would catch: a live run with no round before it or after it, advice before there are costs, one
// policy that always goes first, a warm-up that counts or comes back.
TEST(Turns, PutARoundBetweenLiveRuns) {
  EXPECT_EQ(told(3, 0), "rrrr [4] 0r 1r 1r 0r");
}

// Would catch: time allowed that is not used, or overdrawn, or spent at one end.
TEST(Turns, SpreadTheRoundsThatFitEvenly) {
  EXPECT_EQ(told(3, 8), "rrrr [4] 0r 1r 1r 0r");
  EXPECT_EQ(told(3, 10), "rrrr [6] 0r 1rr 1r 0rr");
  EXPECT_EQ(told(3, 100, 12), "rrrr [9] 0rr 1rr 1rr 0rrr");
  EXPECT_EQ(told(3, 100, 4), "rrrr [4] 0r 1r 1r 0r");
}

// Would catch: measuring where costs are known.
TEST(Turns, NeedNoRounds) {
  EXPECT_EQ(told(0, 90), " [0] 0 1 1 0");
}

}  // namespace
}  // namespace tokenyard
