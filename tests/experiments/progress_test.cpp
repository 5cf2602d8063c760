#include "experiments/cli/progress.hpp"

#include <gtest/gtest.h>

#include <sstream>

#include "tests/experiments/made_up.hpp"

namespace tokenyard {
namespace {

// Catches wrong rates and times left: 1,000 of 4,000 requests in one second leave three.
TEST(Progress, ShowsRateAndTimeLeft) {
  std::ostringstream out;
  Duration now{0};
  {
    Progress progress(
        1, [&] { return now; }, out);
    progress.begin("fcfs", 4000);
    for (int i = 0; i < 1000; ++i) {
      now = made_up::ms(i + 1);
      progress.ended({});
    }
  }
  EXPECT_NE(out.str().find("fcfs: "), std::string::npos) << out.str();
  EXPECT_NE(out.str().find(" of 4,000 requests ("), std::string::npos) << out.str();
  EXPECT_NE(out.str().find(" 1,000/s, 3 s left"), std::string::npos) << out.str();
  EXPECT_EQ(out.str().substr(out.str().size() - 4), "\r\033[K");
}

// Catches a time left that forgets the runs to come: after one of four in a second, and half of the
// second in another, five eighths are left, at two seconds for three.
TEST(Progress, ReckonsWithAllRuns) {
  std::ostringstream out;
  Duration now{0};
  Progress progress(
      4, [&] { return now; }, out);
  progress.begin("fcfs", 100);
  for (int i = 0; i < 100; ++i) {
    now += made_up::ms(10);
    progress.ended({});
  }
  EXPECT_NE(out.str().find("1 of 4 runs ("), std::string::npos) << out.str();
  progress.begin("srpt", 10);
  for (int i = 0; i < 5; ++i) {
    now += made_up::ms(200);
    progress.ended({});
  }
  EXPECT_NE(out.str().find("2 of 4 runs (37 %), 3 s left; 5.0/s: srpt"), std::string::npos)
      << out.str();
}

// Catches lines that wrap on a narrow terminal, where they cannot be wiped.
TEST(Progress, ALongLabelIsCut) {
  std::ostringstream out;
  Duration now{0};
  Progress progress(
      2, [&] { return now; }, out);
  progress.begin(std::string(200, 'x'), 10);
  now = made_up::ms(1000);
  progress.ended({});
  EXPECT_EQ(out.str().size(), std::string("\r\033[K").size() + 79) << out.str();
}

// Catches a clock call at every end, which would slow a fast run down, and lines from short runs.
TEST(Progress, SeldomLooksAtTheClock) {
  std::ostringstream out;
  int looks = 0;
  {
    Progress progress(
        1,
        [&] {
          ++looks;
          return Duration{looks};
        },
        out);
    progress.begin("fcfs", 1'000'000);
    for (int i = 0; i < 1'000'000; ++i) progress.ended({});
  }
  EXPECT_LT(looks, 300);
  EXPECT_EQ(out.str(), "");
}

// Catches a progress line in a file or a pipe: the tests' standard error may be a terminal, but
// quiet is quiet everywhere.
TEST(Progress, QuietHasNone) {
  EXPECT_EQ(Progress::on_terminal(10, true), nullptr);
}

}  // namespace
}  // namespace tokenyard
