// Drawn conversations and closed loops.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "tests/traces/drawn.hpp"
#include "tests/traces/made_up_files.hpp"
#include "traces/parents.hpp"
#include "traces/writer.hpp"

namespace tokenyard {
namespace {

using testing::HasSubstr;

Trace sessions(const std::string& spec, std::int64_t requests = 20'000,
               const std::string& lengths = "geometric:prompt=40,output_mean=30",
               const std::string& prefix = "", std::uint64_t seed = 1) {
  WorkloadPlan plan{requests, "poisson:rate=1", lengths, {}};
  plan.sessions = spec;
  plan.prefix = prefix;
  return generate(plan, seed);
}

/// The requests of each session, in the order in which they are sent.
std::map<std::uint32_t, std::vector<TraceRequest>> by_session(const Trace& trace) {
  std::map<std::uint32_t, std::vector<TraceRequest>> all;
  for (const auto& request : trace.requests) all[request.session].push_back(request);
  return all;
}

// Would catch: turns or think times of another mean or spread than asked for. Of a geometric number
// with mean m the variance is m (m - 1); each session but the last is whole.
TEST(Sessions, HaveTheTurnsAndThinkTimesAskedFor) {
  const auto all = by_session(sessions("chat:turns=4,think_s=20,think_cv=0.5"));
  std::vector<double> turns, thinking;
  for (const auto& [session, requests] : all) {
    turns.push_back(static_cast<double>(requests.size()));
    for (std::size_t turn = 1; turn < requests.size(); ++turn) {
      thinking.push_back(to_seconds(requests[turn].delay));
    }
  }
  const double few = std::sqrt(static_cast<double>(turns.size()));
  EXPECT_NEAR(moments(turns).mean, 4, 4 * std::sqrt(12.0) / few);
  EXPECT_NEAR(moments(turns).cv, std::sqrt(12.0) / 4, 0.05);
  EXPECT_NEAR(moments(thinking).mean, 20, 40 / std::sqrt(static_cast<double>(thinking.size())));
  EXPECT_NEAR(moments(thinking).cv, 0.5, 0.02);
  for (const auto& [session, requests] : by_session(sessions("chat:turns=3,law=fixed", 300))) {
    EXPECT_EQ(requests.size(), 3U);
    EXPECT_EQ(requests[1].delay, Duration(0));
  }
}

// Would catch: a prompt that forgets what was said, or counts it twice; a turn that waits for
// another one than that before it; blocks that are named otherwise in the next turn, or alike in
// another session.
TEST(Sessions, PromptsRepeatTheConversation) {
  const Trace trace = sessions("chat:turns=5,block_tokens=16", 2000);
  EXPECT_EQ(trace.block_tokens, 16);
  std::map<std::int64_t, std::uint32_t> owner;
  for (const auto& [session, requests] : by_session(trace)) {
    std::int64_t history = 0;
    std::vector<std::int64_t> before;
    for (std::size_t turn = 0; turn < requests.size(); ++turn) {
      const TraceRequest& request = requests[turn];
      EXPECT_EQ(request.input_tokens, history + 40);  // the message's length is fixed
      history = request.input_tokens + request.output_tokens;
      ASSERT_EQ(request.parents.count, turn == 0 ? 0U : 1U);
      if (turn > 0) {
        EXPECT_EQ(trace.requests.label(trace.parents.at(request.parents)[0]),
                  requests[turn - 1].label);
      }
      const auto names = trace.block_hashes.at(request.block_hashes);
      ASSERT_EQ(std::ssize(names), request.input_tokens / 16);
      ASSERT_TRUE(std::equal(before.begin(), before.end(), names.begin()));
      before.assign(names.begin(), names.end());
    }
    for (const std::int64_t name : before) {
      EXPECT_TRUE(owner.emplace(name, session).second);
    }
  }
  EXPECT_EQ(sessions("chat:turns=5,block_tokens=0", 50).block_tokens, 0);
}

// Would catch: a system prompt that each session has for itself, comes again with each turn, or is
// not known at the sessions' size of blocks.
TEST(Sessions, BeginWithASharedPrefix) {
  const Trace trace =
      sessions("chat:turns=2,law=fixed", 200, kOneToken, "shared:groups=1,tokens=48");
  const auto first = trace.block_hashes.at(trace.requests[0].block_hashes);
  ASSERT_EQ(first.size(), 3U);
  for (const auto& [session, requests] : by_session(trace)) {
    EXPECT_EQ(requests[0].input_tokens, 49);
    EXPECT_EQ(requests[1].input_tokens, 51);
    for (const TraceRequest& request : requests) {
      EXPECT_TRUE(std::ranges::equal(trace.block_hashes.at(request.block_hashes), first));
    }
  }
  EXPECT_THAT(
      message_of([] { sessions("chat:turns=2", 10, kOneToken, "shared:groups=1,tokens=40"); }),
      HasSubstr("its 40 tokens are no multiple of the sessions' block_tokens (16)"));
}

// Would catch: a session that outgrows its context.
TEST(Sessions, EndWhereTheContextDoes) {
  for (const auto& [session, requests] : by_session(
           sessions("chat:turns=9,law=fixed,context=100", 399, "fixed:prompt=20,output=10"))) {
    EXPECT_EQ(requests.size(), 3U);  // a fourth would have 110 + 10 tokens
    EXPECT_EQ(requests.back().input_tokens, 80);
  }
}

// Would catch: sessions, turns or content that a file does not keep, a longer trace that does not
// begin with the shorter one, and seeds that do nothing.
TEST(Sessions, AreWrittenAndRepeat) {
  const TemporaryFolder folder;
  const Trace trace = sessions("chat:turns=3,think_s=5", 500);
  write_trace(trace, folder.path("s.jsonl"));
  EXPECT_EQ(read_trace(folder.path("s.jsonl")).digest, trace.digest);
  EXPECT_THAT(test::file_content(folder.path("s.jsonl")),
              HasSubstr(R"("session_id":"1","turn":0)"));
  EXPECT_EQ(std::ranges::max(programs_of(trace)) + std::size_t{1}, by_session(trace).size());
  std::map<std::string, TraceRequest> longer;
  const Trace more = sessions("chat:turns=3,think_s=5", 900);
  for (const auto& request : more.requests) longer[request.label] = request;
  for (const auto& request : trace.requests) {
    EXPECT_EQ(longer[request.label].input_tokens, request.input_tokens);
    EXPECT_EQ(longer[request.label].delay, request.delay);
    EXPECT_EQ(longer[request.label].arrival, request.arrival);
  }
  EXPECT_NE(sessions("chat:turns=3,think_s=5", 500, kOneToken, "", 2).digest,
            sessions("chat:turns=3,think_s=5", 500, kOneToken, "", 1).digest);
}

// Would catch: users who do not wait for their own last answer, think by another law, or begin
// without thinking; times that --scale-rate leaves as they are.
TEST(ClosedArrivals, AreChainsOfAsManyUsers) {
  WorkloadPlan plan{4000, "closed:users=7,think_s=3", kOneToken, {}};
  plan.scale_rate = 2;
  const Trace trace = generate(plan, 1);
  std::vector<double> thinking;
  std::size_t roots = 0;
  for (const auto& request : trace.requests) {
    const auto parents = trace.parents.at(request.parents);
    if (parents.empty()) {
      ++roots;
      thinking.push_back(to_seconds(request.arrival - kOrigin));
      continue;
    }
    ASSERT_EQ(parents.size(), 1U);
    EXPECT_EQ(std::stoi(request.label), std::stoi(trace.requests.label(parents[0])) + 7);
    thinking.push_back(to_seconds(request.delay));
  }
  EXPECT_EQ(roots, 7U);
  EXPECT_NEAR(moments(thinking).mean, 1.5, 4 * 1.5 / std::sqrt(4000.0));
  EXPECT_NEAR(moments(thinking).cv, 1, 0.06);
  EXPECT_EQ(draw(5, "closed:users=7", kOneToken).requests.size(), 5U);
}

// Would catch: parameters that contradict one another and are taken.
TEST(Sessions, RefuseWhatCannotBe) {
  const auto refused = [](const std::string& arrivals, const std::string& lengths,
                          const std::string& session, std::optional<double> duration_s) {
    WorkloadPlan plan{9, arrivals, lengths, {}};
    plan.sessions = session;
    plan.duration_s = duration_s;
    return message_of([&] { generate(plan, 1); });
  };
  EXPECT_THAT(refused("closed:users=2", kOneToken, "chat:turns=2", {}),
              HasSubstr("a closed loop has none"));
  EXPECT_THAT(refused("closed:users=2", kOneToken, "", 5), HasSubstr("give requests"));
  EXPECT_THAT(refused("closed:think_s=2", kOneToken, "", {}), HasSubstr("users: is required"));
  EXPECT_THAT(refused("closed:users=2,think_cv=0.001", kOneToken, "", {}), HasSubstr("think_cv"));
  EXPECT_THAT(refused("burst:", kOneToken, "chat:turns=2.5,law=fixed", {}),
              HasSubstr("a whole one"));
  EXPECT_THAT(refused("burst:", kOneToken, "chat:think_s=2", {}), HasSubstr("turns: is required"));
  EXPECT_THAT(refused("burst:", kOneToken, "talk:", {}), HasSubstr("unknown sessions 'talk'"));
}

}  // namespace
}  // namespace tokenyard
