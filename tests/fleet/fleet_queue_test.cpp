// Routers against queueing theory: four servers with exponential service of one second, each loaded
// to 0.7 by Poisson arrivals.

#include <cmath>

#include "tests/fleet/fleet_run.hpp"
#include "tests/queueing/replications.hpp"

namespace tokenyard::test {
namespace {

constexpr int kServers = 4;
constexpr double kLoad = 0.7;
constexpr std::uint64_t kReplications = 20;
constexpr std::size_t kJobs = 60'000;

QueueSystem four_servers() {
  return single_server("four servers", kServers * kLoad, exponential_size());
}

/// The mean time in system of each replication.
std::vector<double> mean_times(const std::string& router) {
  const QueueSystem system = four_servers();
  const LinearCostModel cost(system.cost);
  FleetCase what;
  what.fleet.replicas = kServers;
  what.server.limits = system.limits;
  what.server.kv.block_size = kTokensABlock;
  what.router = router;
  what.tells = false;
  std::vector<double> means;
  for (std::uint64_t seed = 1; seed <= kReplications; ++seed) {
    what.seed = seed;
    const FleetOutcome outcome = run_fleet(draw_jobs(system, seed, kJobs), cost, what);
    double sum = 0;
    for (std::size_t i = kJobs / 10; i < kJobs; ++i) sum += to_seconds(outcome.jct(i));
    means.push_back(sum / static_cast<double>(kJobs - kJobs / 10));
  }
  return means;
}

void expect_mean(const std::vector<double>& means, double value, const char* formula) {
  const Estimate got = estimate(means);
  EXPECT_LE(std::abs(got.mean - value), 4 * got.standard_error) << got.mean << ": " << formula;
  EXPECT_LE(got.standard_error, 0.01 * value) << "too few jobs to tell";
}

/// Whether `less` is below `more` beyond chance, by pairs: both saw the same jobs.
void expect_below(const std::vector<double>& less, const std::vector<double>& more) {
  std::vector<double> differences;
  for (std::size_t i = 0; i < less.size(); ++i) differences.push_back(more[i] - less[i]);
  const Estimate got = estimate(differences);
  EXPECT_GT(got.mean, 4 * got.standard_error);
}

/// Kleinrock, "Queueing Systems" I, section 6.4: in GI/M/1 with service rate 1 the mean time is
/// 1 / (1 - s), s the root in (0, 1) of s = A(1 - s), A the transform of the gaps. Every fourth of
/// Poisson arrivals: Erlang of order four.
double every_fourth() {
  const double rate = kServers * kLoad;
  double root = 0.5;
  for (int i = 0; i < 200; ++i) root = std::pow(rate / (rate + 1 - root), kServers);
  return 1 / (1 - root);
}

/// M/M/4, one queue for all (Erlang C): what no router can fall below.
double one_queue() {
  const double offered = kServers * kLoad;
  double term = 1, sum = 0;
  for (int k = 0; k < kServers; ++k) {
    sum += term;
    term *= offered / (k + 1);
  }
  const double waits = term / (1 - kLoad) / (sum + term / (1 - kLoad));
  return 1 + waits / (kServers - offered);
}

// Would catch: a router that is not even, looks at what it must not, or shares draws with the
// arrivals; servers behind it that hinder one another; loads that are counted wrongly.
TEST(FleetQueue, RoutersMeetTheory) {
  const auto random = mean_times("random");
  const auto round = mean_times("round-robin");
  const auto two = mean_times("power-of-two");
  const auto shortest = mean_times("least-requests");
  // A random part of Poisson arrivals is Poisson: M/M/1.
  expect_mean(random, 1 / (1 - kLoad), "M/M/1");
  expect_mean(round, every_fourth(), "E4/M/1");
  expect_below(shortest, two);
  expect_below(two, random);
  expect_below(shortest, round);
  expect_below(std::vector<double>(kReplications, one_queue()), shortest);
}

}  // namespace
}  // namespace tokenyard::test
