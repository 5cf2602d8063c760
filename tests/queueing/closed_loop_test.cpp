// A closed loop of users who think, against the machine repairman's model (M/M/1//N): N users who
// think for a mean Z, and one server with exponential service S. With r = S / Z the server idles
// with p0 = 1 / sum_k N! / (N - k)! r^k, and the throughput is (1 - p0) / S (Kleinrock, "Queueing
// Systems", volume 1, 1975, section 3.9). It does not depend on the law of the think time (Baskett,
// Chandy, Muntz and Palacios, "Open, Closed, and Mixed Networks of Queues", JACM 1975).

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "experiments/run.hpp"
#include "tests/support/files.hpp"

namespace tokenyard {
namespace {

double repairman_throughput(int users, double think_s, double service_s) {
  double sum = 1, term = 1;
  for (int k = 1; k <= users; ++k) {
    term *= (users - k + 1) * service_s / think_s;
    sum += term;
  }
  return (1 - 1 / sum) / service_s;
}

/// A server of 1 ms a token; answers of 1000 tokens on average, geometric and so all but
/// exponential.
Summary closed_loop(int users, const std::string& think) {
  const test::TemporaryFolder folder;
  RunPlan plan;
  plan.trace = fmt::format(R"({{"requests":30000,"arrivals":"closed:users={},{}",)"
                           R"("lengths":"geometric:prompt=1,output_mean=1000"}})",
                           users, think);
  plan.policies = {"fcfs"};
  plan.quiet = true;
  plan.settings = {
      {"cost", folder.write("cost.json", R"({"kind":"linear","iteration_s":0.001})"), ""},
      {"kv-blocks", "1000000", ""},
      {"max-num-seqs", "1", ""}};
  return run(plan, nullptr).runs.front().summary;
}

// Would catch: users who send before their answer has come, or do not think; more or fewer of them.
TEST(ClosedLoop, HasTheThroughputOfTheRepairmansModel) {
  for (const int users : {1, 3, 8}) {
    const double expected = repairman_throughput(users, 4, 1);
    const Summary found = closed_loop(users, "think_s=4");
    EXPECT_NEAR(found.value("request_throughput").value(), expected, 0.025 * expected) << users;
    // Little's law over the whole loop: users = throughput (think time + time in the system).
    EXPECT_NEAR(found.value("mean_jct_s").value(), users / expected - 4, 0.03 * users / expected);
    EXPECT_EQ(found.value("programs"), users);
  }
}

// Would catch: think times of another mean where their law is another.
TEST(ClosedLoop, DoesNotDependOnTheLawOfThinking) {
  const double expected = repairman_throughput(4, 4, 1);
  for (const char* think : {"think_s=4,think_cv=0", "think_s=4,think_cv=2"}) {
    EXPECT_NEAR(closed_loop(4, think).value("request_throughput").value(), expected,
                0.03 * expected)
        << think;
  }
}

}  // namespace
}  // namespace tokenyard
