// What a policy is told of evictions, and what it is not.

#include <gtest/gtest.h>

#include "tests/support/by_hand.hpp"

namespace tokenyard::test {
namespace {

/// First come, first served, counting the evictions it is told of.
class CountingFcfs final : public Policy {
 public:
  void on_arrive(const RequestView& request, const PolicyContext&, Ranking& ranking) override {
    ranking.set(request.id, {request.arrived.time_since_epoch().count()});
  }
  void on_evict(const RequestView& request, Eviction, const PolicyContext&, Ranking&) override {
    evicted.push_back(index(request.id));
  }

  std::vector<std::size_t> evicted;
};

Event arrival(std::uint32_t id) {
  Request request;
  request.id = RequestId{id};
  request.prompt_tokens = 3;
  return {kOrigin, id, Arrival{request}};
}

// Would catch: a notice that is given again in a later pass in which no batch was formed; by then
// the request may have left, and its place in the table be another's.
TEST(EvictionNotice, IsGivenOnceEvenIfAPassFollowsWhileTheExecutorIsFull) {
  ServerSettings settings;
  settings.kv = {.block_size = 1, .device_blocks = 6};
  CountingFcfs policy;
  const IntegerCost cost(std::chrono::milliseconds(10));
  FactKeeper facts;
  Scheduler scheduler(settings, {policy, cost, nullptr, nullptr, facts}, 1);
  const Event arrivals[] = {arrival(0), arrival(1)};
  scheduler.pass(kOrigin, arrivals);
  const SlotOutcome outcomes[] = {{false}, {false}};
  const Event end[] = {{at_ms(10), 0, IterationEnd{IterationId{0}, outcomes}}};
  EXPECT_EQ(scheduler.pass(at_ms(10), end).slots.size(), 1u);
  EXPECT_EQ(policy.evicted, (std::vector<std::size_t>{1}));
  scheduler.pass(at_ms(12), {});
  EXPECT_EQ(policy.evicted, (std::vector<std::size_t>{1}));
}

}  // namespace
}  // namespace tokenyard::test
