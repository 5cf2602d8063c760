// Which replica each router chooses.

#include "sim/server/routers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "sim/kernel/input_error.hpp"

namespace tokenyard::test {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

/// Replicas of which a test says everything.
class MadeUp final : public RoutingContext {
 public:
  explicit MadeUp(std::vector<std::int64_t> load) : requests(std::move(load)) {
    tokens.resize(requests.size());
    known.resize(requests.size());
    for (std::uint32_t i = 0; i < requests.size(); ++i) up.push_back(ReplicaId{i});
  }

  std::span<const ReplicaId> candidates() const override { return up; }
  std::int64_t outstanding_requests(ReplicaId id) override { return requests[index(id)]; }
  std::int64_t outstanding_tokens(ReplicaId id) override { return tokens[index(id)]; }
  std::int64_t known_prefix_tokens(ReplicaId id, const Request&) override {
    return known[index(id)];
  }

  std::vector<ReplicaId> up;
  std::vector<std::int64_t> requests, tokens, known;
};

Request request_of(std::uint32_t session, std::int64_t prompt_tokens = 100) {
  Request request;
  request.session = session;
  request.prompt_tokens = prompt_tokens;
  return request;
}

std::vector<std::size_t> choices(const std::string& name, MadeUp& replicas, int times,
                                 const Request& request = request_of(0), std::uint64_t seed = 1) {
  const auto router = make_router(name, seed);
  std::vector<std::size_t> chosen;
  for (int i = 0; i < times; ++i) chosen.push_back(index(router->choose(request, replicas)));
  return chosen;
}

// Would catch: a turn that is skipped where a replica has failed, or goes to it.
TEST(Routers, RoundRobinPassesOverTheFailed) {
  MadeUp replicas({0, 0, 0, 0});
  replicas.up = {ReplicaId{0}, ReplicaId{2}, ReplicaId{3}};
  EXPECT_THAT(choices("round-robin", replicas, 5), ElementsAre(0, 2, 3, 0, 2));
}

// Would catch: a load that is not compared, and ties that all go to the first.
TEST(Routers, TheLeastLoadedAndTiesGoRound) {
  MadeUp replicas({3, 1, 2, 1});
  EXPECT_THAT(choices("least-requests", replicas, 4), ElementsAre(1, 3, 1, 3));
  EXPECT_THAT(choices("least-loaded", replicas, 4), ElementsAre(1, 3, 1, 3));
  replicas.tokens = {5, 9, 4, 8};
  EXPECT_THAT(choices("least-tokens", replicas, 2), ElementsAre(2, 2));
}

// Would catch: draws that favour a replica, depend on nothing but the seed of another stream, or
// are not the same for the same seed.
TEST(Routers, RandomIsEvenAndRepeatable) {
  MadeUp replicas({9, 9, 9, 9});
  const auto chosen = choices("random", replicas, 40'000);
  for (std::size_t i = 0; i < 4; ++i) {
    const auto share = std::count(chosen.begin(), chosen.end(), i);
    EXPECT_NEAR(static_cast<double>(share), 10'000, 4 * std::sqrt(40'000 * 0.25 * 0.75));
  }
  EXPECT_EQ(choices("random", replicas, 100), choices("random", replicas, 100));
  EXPECT_NE(choices("random", replicas, 100), choices("random", replicas, 100, request_of(0), 2));
}

// Would catch: a pair that may be twice the same replica (the fullest of three is then chosen now
// and then), or the worse of two.
TEST(Routers, PowerOfTwoNeverChoosesTheFullest) {
  MadeUp replicas({1, 5, 3});
  const auto chosen = choices("power-of-two", replicas, 3000);
  EXPECT_EQ(std::count(chosen.begin(), chosen.end(), 1U), 0);
  // Of three pairs two hold replica 0.
  EXPECT_NEAR(static_cast<double>(std::count(chosen.begin(), chosen.end(), 0U)), 2000, 110);
  EXPECT_THAT(choices("power-of-two:choices=3", replicas, 20), Each(0U));
}

// Would catch: a session that moves though its replica is up, or stays with one that is not.
TEST(Routers, ASessionStays) {
  MadeUp replicas({0, 7, 7});
  const auto router = make_router("session-sticky", 1);
  const auto choose = [&](std::uint32_t session) {
    return index(router->choose(request_of(session), replicas));
  };
  EXPECT_EQ(choose(1), 0U);
  replicas.requests = {9, 1, 7};
  EXPECT_EQ(choose(1), 0U);
  EXPECT_EQ(choose(2), 1U);
  EXPECT_EQ(choose(0), 1U);
  replicas.up = {ReplicaId{1}, ReplicaId{2}};
  replicas.requests = {9, 8, 7};
  EXPECT_EQ(choose(1), 2U);
  replicas.up = {ReplicaId{0}, ReplicaId{1}, ReplicaId{2}};
  EXPECT_EQ(choose(1), 2U);
}

// Would catch: a router that follows a short match, or one into a replica that is overrun.
TEST(Routers, PrefixesDecideWhileLoadsAreAlike) {
  MadeUp replicas({10, 20, 30});
  replicas.known = {0, 64, 64};
  EXPECT_THAT(choices("prefix-aware", replicas, 2), ElementsAre(1, 1));
  replicas.known = {0, 0, 48};  // less than half of 100
  EXPECT_THAT(choices("prefix-aware", replicas, 1), ElementsAre(0));
  EXPECT_THAT(choices("prefix-aware:least_match=0.4", replicas, 1), ElementsAre(2));
  replicas.known = {0, 0, 96};
  replicas.requests = {10, 20, 43};  // 33 more than the fewest, and four times as many
  EXPECT_THAT(choices("prefix-aware", replicas, 1), ElementsAre(0));
  EXPECT_THAT(choices("prefix-aware:imbalance=33", replicas, 1), ElementsAre(2));
  EXPECT_THAT(choices("prefix-aware:imbalance_ratio=5", replicas, 1), ElementsAre(2));
}

// Would catch: a bad name or parameter that is taken, or is refused without a word on what is
// meant.
TEST(Routers, BadOnesAreRefused) {
  const auto refusal = [](const std::string& text) {
    try {
      make_router(text, 1);
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string("taken");
  };
  EXPECT_THAT(refusal("round-robbin"), HasSubstr("round-robin"));
  EXPECT_THAT(refusal("power-of-two:choices=0"), HasSubstr("choices"));
  EXPECT_THAT(refusal("random:weight=2"), HasSubstr("weight"));
}

}  // namespace
}  // namespace tokenyard::test
