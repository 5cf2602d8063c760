#include "sim/server/live_table.hpp"

#include <gtest/gtest.h>

#include <set>

#include "sim/kernel/invariant.hpp"

namespace tokenyard {
namespace {

Request request(std::uint32_t id) {
  Request made;
  made.id = RequestId{id};
  made.arrival = kOrigin + Duration{id * 10};
  made.prompt_tokens = id + 1;
  made.tenant = TenantId{id + 2};
  made.priority = static_cast<std::int32_t>(id) + 3;
  return made;
}

// Would catch: a field of the view that is not filled, so that a policy would rank by zero.
TEST(LiveTable, AnInsertedRequestIsSeenAsItWasSent) {
  LiveTable table;
  const RequestView& view = table.insert(request(5)).view;
  EXPECT_EQ(view.id, RequestId{5});
  EXPECT_EQ(view.arrived, kOrigin + Duration{50});
  EXPECT_EQ(view.last_ran, view.arrived);
  EXPECT_EQ(view.prompt_tokens, 6);
  EXPECT_EQ(view.pending_tokens(), 6);
  EXPECT_EQ(view.tenant, TenantId{7});
  EXPECT_EQ(view.priority, 8);
  EXPECT_EQ(view.generated, 0);
  EXPECT_EQ(view.kv, KvPlace::none);
}

// Would catch: looking up what has not arrived yet or is gone as if it were live.
TEST(LiveTable, FindsOnlyTheLiving) {
  LiveTable table;
  EXPECT_EQ(table.find(RequestId{3}), nullptr);
  LiveRequest& live = table.insert(request(3));
  EXPECT_EQ(table.find(RequestId{3}), &live);
  EXPECT_EQ(table.find(RequestId{2}), nullptr);
  EXPECT_EQ(table.size(), 1u);
  table.erase(live);
  EXPECT_EQ(table.find(RequestId{3}), nullptr);
  EXPECT_EQ(table.size(), 0u);
}

// Would catch: a request that lives twice, with two block tables.
TEST(LiveTable, InsertingTwiceBreaksAnInvariant) {
  LiveTable table;
  table.insert(request(3));
  EXPECT_THROW(table.insert(request(3)), InvariantBroken);
}

// Would catch: slots that grow with all requests there ever were (policies' tables would too), and
// two living requests in one slot.
TEST(LiveTable, SlotsAreUsedAgainButNeverShared) {
  LiveTable table;
  LiveRequest& first = table.insert(request(0));
  LiveRequest& second = table.insert(request(1));
  EXPECT_NE(first.view.slot, second.view.slot);
  const std::uint32_t slot = first.view.slot;
  table.erase(first);
  EXPECT_EQ(table.insert(request(2)).view.slot, slot);
  for (std::uint32_t id = 3; id < 1000; ++id) {
    LiveRequest& passing = table.insert(request(id));
    EXPECT_LT(passing.view.slot, 3u);
    table.erase(passing);
  }
}

// Would catch: state of the last tenant of a slot (its key, its phases, its eviction) that leaks
// into the next.
TEST(LiveTable, ASlotIsHandedOnClean) {
  LiveTable table;
  LiveRequest& first = table.insert(request(0));
  first.view.generated = 7;
  first.view.served = Duration{5};
  first.facts.preemptions = 2;
  first.facts.first_token = kOrigin;
  first.facts.phases[0] = Duration{9};
  first.sequences.front().blocks = {BlockId{1}};
  first.held = false;
  first.done = first.cancel_requested = first.in_flight = true;
  first.evicted_in = 4;
  first.computed_peak = 11;
  first.reserve_tokens = 3;
  table.erase(first);
  const LiveRequest& next = table.insert(request(1));
  ASSERT_EQ(&next, &first);
  EXPECT_EQ(next.view.generated, 0);
  EXPECT_EQ(next.view.served, Duration{0});
  EXPECT_EQ(next.facts.preemptions, 0);
  EXPECT_EQ(next.facts.first_token, kNever);
  EXPECT_EQ(next.facts.phases[0], Duration{0});
  EXPECT_FALSE(next.resident());
  EXPECT_TRUE(next.held);
  EXPECT_FALSE(next.done || next.cancel_requested || next.in_flight);
  EXPECT_EQ(next.evicted_in, 0u);
  EXPECT_EQ(next.computed_peak, 0);
  EXPECT_EQ(next.reserve_tokens, 0);
}

// Would catch: addresses that move when the table grows (the ranking's trees hold them), and a
// visit that skips or repeats.
TEST(LiveTable, AddressesStandAndEachOfTheLivingIsVisitedOnce) {
  LiveTable table;
  const LiveRequest* first = &table.insert(request(0));
  for (std::uint32_t id = 1; id < 500; ++id) table.insert(request(id));
  EXPECT_EQ(table.find(RequestId{0}), first);
  table.erase(*table.find(RequestId{17}));
  std::set<RequestId> seen;
  table.for_each([&](const LiveRequest& live) { EXPECT_TRUE(seen.insert(live.view.id).second); });
  EXPECT_EQ(seen.size(), 499u);
  EXPECT_EQ(seen.count(RequestId{17}), 0u);
}

}  // namespace
}  // namespace tokenyard
