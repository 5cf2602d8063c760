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
        "fcfs", 4000, [&] { return now; }, out);
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

// Catches a clock call at every end, which would slow a fast run down, and lines from short runs.
TEST(Progress, SeldomLooksAtTheClock) {
  std::ostringstream out;
  int looks = 0;
  {
    Progress progress(
        "fcfs", 1'000'000,
        [&] {
          ++looks;
          return Duration{looks};
        },
        out);
    for (int i = 0; i < 1'000'000; ++i) progress.ended({});
  }
  EXPECT_LT(looks, 300);
  EXPECT_EQ(out.str(), "");
}

// Catches a progress line in a file or a pipe: the tests' standard error may be a terminal, but
// quiet is quiet everywhere.
TEST(Progress, QuietHasNone) {
  EXPECT_EQ(Progress::on_terminal("fcfs", 10, true), nullptr);
}

}  // namespace
}  // namespace tokenyard
