#include "experiments/record/reorder_window.hpp"

#include <gtest/gtest.h>
//
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

#include "experiments/record/packed_facts.hpp"
#include "sim/kernel/invariant.hpp"
#include "sim/kernel/rng.hpp"
#include "tests/experiments/made_up.hpp"

namespace tokenyard {
namespace {

using made_up::finished;

std::int64_t any_integer() {
  return *rc::gen::oneOf(rc::gen::arbitrary<std::int64_t>(), rc::gen::inRange<std::int64_t>(0, 300),
                         rc::gen::just(std::numeric_limits<std::int64_t>::max()),
                         rc::gen::just(std::numeric_limits<std::int64_t>::min()));
}
Time any_time() {
  return kOrigin + Duration(any_integer());
}
std::int32_t any_small() {
  return *rc::gen::arbitrary<std::int32_t>();
}

RequestFacts any_facts() {
  RequestFacts facts;
  facts.request.arrival = any_time();
  facts.request.prompt_tokens = any_integer();
  if (*rc::gen::arbitrary<bool>()) facts.request.max_tokens = any_integer();
  facts.request.tenant = static_cast<TenantId>(*rc::gen::arbitrary<std::uint32_t>());
  facts.request.priority = any_small();
  facts.request.width = any_small();
  facts.request.beam_search = *rc::gen::arbitrary<bool>();
  facts.end = *rc::gen::element(End::finished, End::rejected, End::cancelled);
  facts.output_tokens = any_integer();
  facts.sequence_tokens = any_integer();
  facts.cached_tokens = any_integer();
  facts.first_scheduled = any_time();
  facts.first_token = any_time();
  facts.ended = any_time();
  for (Duration& phase : facts.phases) phase = Duration(any_integer());
  facts.preemptions = any_integer();
  facts.swaps_out = any_integer();
  facts.swaps_in = any_integer();
  facts.recomputed_tokens = any_integer();
  return facts;
}

void expect_same(const RequestFacts& a, const RequestFacts& b) {
  RC_ASSERT(a.request.arrival == b.request.arrival);
  RC_ASSERT(a.request.prompt_tokens == b.request.prompt_tokens);
  RC_ASSERT(a.request.max_tokens == b.request.max_tokens);
  RC_ASSERT(a.request.tenant == b.request.tenant && a.request.priority == b.request.priority);
  RC_ASSERT(a.request.width == b.request.width && a.request.beam_search == b.request.beam_search);
  RC_ASSERT(a.end == b.end && a.output_tokens == b.output_tokens);
  RC_ASSERT(a.sequence_tokens == b.sequence_tokens && a.cached_tokens == b.cached_tokens);
  RC_ASSERT(a.first_scheduled == b.first_scheduled && a.first_token == b.first_token);
  RC_ASSERT(a.ended == b.ended && std::ranges::equal(a.phases, b.phases));
  RC_ASSERT(a.preemptions == b.preemptions && a.swaps_out == b.swaps_out);
  RC_ASSERT(a.swaps_in == b.swaps_in && a.recomputed_tokens == b.recomputed_tokens);
}

// Would catch: a field forgotten or cut, a sign lost, and kNever that comes back as another time.
RC_GTEST_PROP(PackedFacts, ComeBackAsTheyWere, ()) {
  const RequestFacts facts = any_facts();
  std::array<std::uint8_t, kMostPackedBytes> bytes{};
  RC_ASSERT(pack(facts, bytes.data()) <= kMostPackedBytes);
  expect_same(unpack(bytes.data()), facts);
  const RequestFacts empty;  // its times are kNever
  pack(empty, bytes.data());
  expect_same(unpack(bytes.data()), empty);
}

// Would catch: the packed form growing past what the recorder promises for a usual request: one
// that came after a month, waited 2 s, was prefilled in 300 ms and decoded 211 tokens in 9 s.
TEST(PackedFacts, AreShortForAUsualRequest) {
  RequestFacts facts = finished(0, 30LL * 24 * 3'600'000, 2'000, 300, 9'000, 211);
  facts.request.prompt_tokens = 1'155;
  facts.ended += Duration{123};
  facts.phases[2] += Duration{123};
  std::array<std::uint8_t, kMostPackedBytes> bytes{};
  EXPECT_LE(pack(facts, bytes.data()), 48U);
}

// Would catch: requests out of order, lost, taken before their turn, or with the facts of another,
// for any order of ends; and packed memory that is not given back.
RC_GTEST_PROP(ReorderWindow, RestoresTheDenseOrder, ()) {
  const auto count = *rc::gen::inRange<std::uint32_t>(1, 3000);
  const auto reach = *rc::gen::inRange<std::uint32_t>(1, 3000);
  std::vector<std::uint32_t> order(count);
  for (std::uint32_t i = 0; i < count; ++i) order[i] = i;
  Rng rng(count * 7919ULL + reach);
  for (std::uint32_t i = 0; i < count; ++i) {
    std::swap(order[i], order[std::min<std::uint64_t>(count - 1, i + rng() % reach)]);
  }
  ReorderWindow window;
  std::uint32_t next = 0;
  std::vector<bool> ended(count, false);
  for (const std::uint32_t id : order) {
    ended[id] = true;
    window.add(finished(id, id, 2 * id, 3, id % 5, 1 + id), [&](const RequestFacts& facts) {
      RC_ASSERT(facts.request.id == RequestId{next});
      RC_ASSERT(facts.output_tokens == 1 + next);
      RC_ASSERT(facts.ended == made_up::at_ms(3LL * next + 3 + next % 5));
      ++next;
    });
    RC_ASSERT(next == count || !ended[next]);
    RC_ASSERT(window.taken() == next);
  }
  RC_ASSERT(next == count);
  RC_ASSERT(window.ended_early() == 0U);
  RC_ASSERT(window.size() == count);
  RC_ASSERT(window.packed_bytes() <= std::size_t{1} << 16U);
}

// Would catch: whole facts kept for all that wait behind one request that starves, and memory that
// stays taken when it has ended at last.
TEST(ReorderWindow, KeepsLittleBehindAStarvingRequest) {
  constexpr std::uint32_t kRequests = 100'000;
  ReorderWindow window;
  std::uint32_t taken = 0;
  const auto count = [&](const RequestFacts&) { ++taken; };
  for (std::uint32_t id = 1; id < kRequests; ++id) {
    window.add(finished(id, 200LL * id, 150, 300, 9'000, 211), count);
  }
  EXPECT_EQ(taken, 0U);
  EXPECT_EQ(window.ended_early(), kRequests - 1);
  EXPECT_LE(window.packed_bytes(), kRequests * 48ULL);
  window.add(finished(0, 0, 0, 1, 1, 2), count);
  EXPECT_EQ(taken, kRequests);
  EXPECT_LE(window.packed_bytes(), std::size_t{1} << 16U);
}

// Would catch: a second end of a request that was taken, or that waits, passing unnoticed.
TEST(ReorderWindow, RefusesASecondEnd) {
  const auto ignore = [](const RequestFacts&) {};
  ReorderWindow window;
  window.add(finished(0, 0, 0, 1, 1, 2), ignore);
  window.add(finished(5, 0, 0, 1, 1, 2), ignore);
  EXPECT_THROW(window.add(finished(0, 0, 0, 1, 1, 2), ignore), InvariantBroken);
  EXPECT_THROW(window.add(finished(5, 0, 0, 1, 1, 2), ignore), InvariantBroken);
}

}  // namespace
}  // namespace tokenyard
