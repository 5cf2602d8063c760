#include "sim/server/rank_index.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <vector>

#include "sim/kernel/invariant.hpp"

namespace tokenyard {
namespace {

constexpr std::uint32_t kRequests = 8;

struct Index {
  LiveTable live;
  RankIndex ranking{live};

  LiveRequest& add(std::uint32_t id) {
    Request request;
    request.id = RequestId{id};
    request.prompt_tokens = 1;
    return live.insert(request);
  }
  void set_resident(LiveRequest& request, bool resident) {
    request.sequences.front().blocks = resident ? BlockTable{BlockId{0}} : BlockTable{};
    ranking.update_residency(request);
  }
  std::vector<std::uint32_t> order() {
    std::vector<std::uint32_t> ids;
    for (const LiveRequest& request : ranking.order()) {
      ids.push_back(static_cast<std::uint32_t>(request.view.id));
    }
    return ids;
  }
  std::vector<std::uint32_t> residents() {
    std::vector<std::uint32_t> ids;
    for (const LiveRequest& request : ranking.residents()) {
      ids.push_back(static_cast<std::uint32_t>(request.view.id));
    }
    return ids;
  }
};

using Ids = std::vector<std::uint32_t>;

// Would catch: a comparison that forgets the secondary key or turns ties round.
TEST(RankIndex, OrdersByPrimaryThenSecondaryThenTheSmallerId) {
  Index index;
  for (std::uint32_t id = 0; id < 5; ++id) index.add(id);
  index.ranking.set(RequestId{4}, {1, 9});
  index.ranking.set(RequestId{3}, {1, 2});
  index.ranking.set(RequestId{2}, {0, 100});
  index.ranking.set(RequestId{1}, {1, 2});
  index.ranking.set(RequestId{0}, {-1, 0});
  EXPECT_EQ(index.order(), (Ids{0, 2, 1, 3, 4}));
}

// Would catch: a held request that is still served, or one that stays out after its next `set`.
TEST(RankIndex, AHeldRequestLeavesTheOrderUntilItIsSetAgain) {
  Index index;
  index.add(0);
  index.add(1);
  index.ranking.set(RequestId{0}, {0});
  index.ranking.set(RequestId{1}, {1});
  index.ranking.hold(RequestId{0});
  EXPECT_EQ(index.order(), (Ids{1}));
  index.ranking.set(RequestId{0}, {2});
  EXPECT_EQ(index.order(), (Ids{1, 0}));
}

// Would catch: a held request that keeps its memory while ranked ones lose theirs.
TEST(RankIndex, TheHeldAreTheWorstOfTheResidents) {
  Index index;
  for (std::uint32_t id = 0; id < 3; ++id) {
    index.set_resident(index.add(id), true);
    index.ranking.set(RequestId{id}, {static_cast<std::int64_t>(id)});
  }
  index.ranking.hold(RequestId{0});
  EXPECT_EQ(index.residents(), (Ids{1, 2, 0}));
}

// Would catch: a policy's stale id that silently ranks nobody (or the next request in that slot).
TEST(RankIndex, RankingARequestThatIsNotLiveBreaksAnInvariant) {
  Index index;
  EXPECT_THROW(index.ranking.set(RequestId{0}, {0}), InvariantBroken);
  LiveRequest& request = index.add(0);
  index.ranking.set(RequestId{0}, {0});
  index.ranking.erase(request);
  index.live.erase(request);
  EXPECT_THROW(index.ranking.hold(RequestId{0}), InvariantBroken);
}

/// What the index must say, kept as plainly as possible.
struct Plain {
  bool live = false, ranked = false, resident = false;
  RankKey key;
};

/// All ids for which `wanted` holds, sorted by (held, key, id).
template <typename Wanted>
Ids sorted(const std::vector<Plain>& plain, Wanted wanted) {
  Ids ids;
  for (std::uint32_t id = 0; id < plain.size(); ++id) {
    if (plain[id].live && wanted(plain[id])) ids.push_back(id);
  }
  std::sort(ids.begin(), ids.end(), [&](std::uint32_t a, std::uint32_t b) {
    if (plain[a].ranked != plain[b].ranked) return plain[a].ranked;
    if (plain[a].key != plain[b].key) return plain[a].key < plain[b].key;
    return a < b;
  });
  return ids;
}

/// One random change to both.
void change_one(Index& index, std::vector<Plain>& plain) {
  const auto id = *rc::gen::inRange<std::uint32_t>(0, kRequests);
  Plain& expected = plain[id];
  LiveRequest* request = index.live.find(RequestId{id});
  RC_ASSERT((request != nullptr) == expected.live);
  const auto action = *rc::gen::inRange(0, 8);
  if (request == nullptr) {
    index.add(id);
    expected.live = true;
  } else if (action < 4) {
    expected.key = {*rc::gen::inRange<std::int64_t>(0, 4), *rc::gen::inRange<std::int64_t>(0, 2)};
    expected.ranked = true;
    index.ranking.set(RequestId{id}, expected.key);
  } else if (action == 4) {
    index.ranking.hold(RequestId{id});
    expected.ranked = false;
  } else if (action < 7) {
    expected.resident = !expected.resident;
    index.set_resident(*request, expected.resident);
  } else {
    index.set_resident(*request, false);
    index.ranking.erase(*request);
    index.live.erase(*request);
    expected = {};
  }
}

// Would catch: a place that is kept although a neighbour's key moved past it, residents that are
// not re-sorted with the order, leftovers of the erased; after any history the two lists are what
// sorting from scratch says.
RC_GTEST_PROP(RankIndex, BothListsAreSortedAfterEveryChange, ()) {
  Index index;
  std::vector<Plain> plain(kRequests);
  const auto steps = *rc::gen::inRange(1, 80);
  for (int step = 0; step < steps; ++step) {
    change_one(index, plain);
    RC_ASSERT(index.order() == sorted(plain, [](const Plain& p) { return p.ranked; }));
    RC_ASSERT(index.residents() == sorted(plain, [](const Plain& p) { return p.resident; }));
  }
}

}  // namespace
}  // namespace tokenyard
