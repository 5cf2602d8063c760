// From a prompt's content to the hashes of its KV blocks.

#include "traces/prompt_hashes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <set>
#include <utility>

#include "tests/traces/made_up_files.hpp"
#include "traces/replay.hpp"
#include "traces/trace_builder.hpp"

namespace tokenyard {
namespace {

using Integers = std::vector<std::int64_t>;

/// Appends a request with this prompt to a trace.
TraceRequest add_tokens(Trace& trace, const Integers& ids, TenantId tenant = {}) {
  TraceRequest request;
  request.input_tokens = static_cast<std::int64_t>(ids.size());
  request.output_tokens = 1;
  request.tenant = tenant;
  request.prompt_token_ids = trace.prompt_token_ids.add(ids);
  trace.requests.push_back(request);
  return request;
}

TraceRequest add_names(Trace& trace, std::int64_t input_tokens, const Integers& names,
                       TenantId tenant = {}) {
  TraceRequest request;
  request.input_tokens = input_tokens;
  request.output_tokens = 1;
  request.tenant = tenant;
  request.block_hashes = trace.block_hashes.add(names);
  trace.requests.push_back(request);
  return request;
}

/// How many of their first KV blocks two prompts share; all later ones must differ, wherever.
std::size_t shared_blocks(const std::vector<BlockHash>& one, const std::vector<BlockHash>& other) {
  const auto end = std::mismatch(one.begin(), one.end(), other.begin(), other.end()).first;
  const auto shared = static_cast<std::size_t>(end - one.begin());
  std::set<BlockHash> later(end, one.end());
  later.insert(other.begin() + static_cast<std::ptrdiff_t>(shared), other.end());
  RC_ASSERT(later.size() == one.size() + other.size() - 2 * shared);
  return shared;
}

std::int64_t common_prefix(const Integers& one, const Integers& other) {
  return std::mismatch(one.begin(), one.end(), other.begin(), other.end()).first - one.begin();
}

/// Two lists with a common beginning, over few values, so that they also meet elsewhere.
std::pair<Integers, Integers> two_lists(int longest) {
  // A range shrinks with the size, and the size is small here for the sake of the length alone.
  const auto value = rc::gen::resize(rc::kNominalSize, rc::gen::inRange<std::int64_t>(0, 3));
  const auto part = rc::gen::container<Integers>(value);
  const auto beginning = *rc::gen::resize(longest, part);
  Integers one = beginning, other = beginning;
  for (Integers* list : {&one, &other}) {
    const auto rest = *rc::gen::resize(longest, part);
    list->insert(list->end(), rest.begin(), rest.end());
  }
  return {one, other};
}

// Would catch: a chain that forgets a token, its order or its block's parent; a last block that is
// not full and gets a hash; tenants that share.
RC_GTEST_PROP(PromptHashes, OfTokenIdsAreEqualWherePrefixesAre, ()) {
  const auto [one, other] = two_lists(40);
  const auto kv_block = *rc::gen::inRange<std::int64_t>(1, 20);
  Trace trace;
  const auto first = prompt_hashes(trace, add_tokens(trace, one), kv_block);
  const auto second = prompt_hashes(trace, add_tokens(trace, other), kv_block);
  const auto foreign = prompt_hashes(trace, add_tokens(trace, one, TenantId{1}), kv_block);
  RC_ASSERT(std::cmp_equal(first.size(), static_cast<std::int64_t>(one.size()) / kv_block));
  RC_ASSERT(std::cmp_equal(shared_blocks(first, second), common_prefix(one, other) / kv_block));
  RC_ASSERT(foreign.size() == first.size());
  RC_ASSERT(shared_blocks(first, foreign) == 0U);
}

// Would catch: KV blocks that are named by the wrong trace block or offset, whichever size divides
// the other or neither; a KV block shared though a part of it lies in a trace block that differs;
// hashes beyond the prompt or beyond what the trace tells.
RC_GTEST_PROP(PromptHashes, OfTraceBlocksAreEqualWherePrefixesAre, ()) {
  const auto [one, other] = two_lists(15);
  const auto kv_block = *rc::gen::inRange<std::int64_t>(1, 40);
  Trace trace;
  trace.block_tokens = *rc::gen::inRange<std::int64_t>(1, 40);
  // The prompt ends within its last named block, or goes on beyond it.
  const auto tokens = [&](const Integers& names) {
    const auto named = static_cast<std::int64_t>(names.size()) * trace.block_tokens;
    return std::max<std::int64_t>(
        1, named + *rc::gen::inRange<std::int64_t>(1 - trace.block_tokens, 60));
  };
  const std::int64_t tokens_one = tokens(one), tokens_other = tokens(other);
  const auto first = prompt_hashes(trace, add_names(trace, tokens_one, one), kv_block);
  const auto second = prompt_hashes(trace, add_names(trace, tokens_other, other), kv_block);
  const auto foreign =
      prompt_hashes(trace, add_names(trace, tokens_one, one, TenantId{1}), kv_block);
  const auto known = [&](const Integers& names, std::int64_t prompt) {
    return std::min(static_cast<std::int64_t>(names.size()) * trace.block_tokens, prompt);
  };
  RC_ASSERT(std::cmp_equal(first.size(), known(one, tokens_one) / kv_block));
  const std::int64_t in_common = std::min({common_prefix(one, other) * trace.block_tokens,
                                           known(one, tokens_one), known(other, tokens_other)});
  RC_ASSERT(std::cmp_equal(shared_blocks(first, second), in_common / kv_block));
  RC_ASSERT(shared_blocks(first, foreign) == 0U);
}

// Would catch: hashes that do not begin at the tenant's chain, as those of an engine do, or that
// differ from machine to machine.
TEST(PromptHashes, ChainTokensAsThePortHasIt) {
  Trace trace;
  const auto hashes = prompt_hashes(trace, add_tokens(trace, {5, 6, 7}, TenantId{3}), 1);
  const BlockHash first = chain(chain_of(TenantId{3}), 5);
  const BlockHash second = chain(first, 6);
  EXPECT_EQ(hashes, (std::vector<BlockHash>{first, second, chain(second, 7)}));
}

// Would catch: another rule for names of blocks, by which results of old and new versions differ.
TEST(PromptHashes, ChainNamesWithTheirOffsets) {
  Trace trace;
  trace.block_tokens = 4;
  const auto& request = add_names(trace, 7, {5, 6});
  const auto over = [](BlockHash last, const Integers& values) {
    for (const auto value : values) last = chain(last, static_cast<std::uint64_t>(value));
    return last;
  };
  // KV blocks of 3 tokens: 0 … 2 lie in the first trace block, 3 … 5 in both, 6 has no full one.
  const BlockHash first = over(chain_of(TenantId{}), {0x626c6f636b5f6861, 5, 0});
  EXPECT_EQ(prompt_hashes(trace, request, 3),
            (std::vector<BlockHash>{first, over(first, {5, 3, 6, 0})}));
}

// Would catch: names of blocks that are taken for tokens.
TEST(PromptHashes, OfTokensAndOfNamesNeverMeet) {
  Trace trace;
  trace.block_tokens = 2;
  // A chain over (name, offset) pairs would read like one over the tokens 5, 0, 6, 0.
  const auto tokens = prompt_hashes(trace, add_tokens(trace, {5, 0, 6, 0}), 2);
  const auto names = prompt_hashes(trace, add_names(trace, 4, {5, 6}), 2);
  ASSERT_EQ(tokens.size(), 2U);
  ASSERT_EQ(names.size(), 2U);
  EXPECT_NE(tokens[0], names[0]);
  EXPECT_NE(tokens[1], names[1]);
}

// Would catch: a loop or memory without bound for a prompt of which hostile numbers make much.
TEST(PromptHashes, AreBounded) {
  Trace trace;
  trace.block_tokens = kMostTokens;
  const auto& request = add_names(trace, kMostTokens, {1});
  EXPECT_EQ(prompt_hashes(trace, request, 1).size(), 4'194'304U);
  EXPECT_EQ(prompt_hashes(trace, request, kMostTokens).size(), 1U);
  EXPECT_TRUE(prompt_hashes(trace, add_names(trace, kMostTokens, {}), 1).empty());
  EXPECT_ANY_THROW(prompt_hashes(trace, request, 0));
}

/// Rows like those of the Mooncake traces: blocks of 512 tokens, the last one partly filled.
const std::string kMooncakeLike =
    R"({"meta":{"block_tokens":512}})"
    "\n"
    R"({"id":"0","arrival_ns":0,"input_tokens":1130,"output_tokens":9,"block_hashes":[0,1,2]})"
    "\n"
    R"({"id":"1","arrival_ns":0,"input_tokens":1600,"output_tokens":9,"block_hashes":[0,1,3,4]})"
    "\n"
    R"({"id":"2","arrival_ns":5,"input_tokens":600,"output_tokens":9,"block_hashes":[7]})"
    "\n"
    R"({"id":"3","arrival_ns":9,"input_tokens":600,"output_tokens":9})"
    "\n";

// Would catch: numbers of shared KV blocks that one cannot reckon by hand.
TEST(PromptHashes, OfMooncakesBlocks) {
  const Trace trace = read_text(kMooncakeLike);
  const auto hashes = [&trace](std::size_t request, std::int64_t kv_block) {
    return prompt_hashes(trace, trace.requests[request], kv_block);
  };
  EXPECT_EQ(hashes(0, 16).size(), 70U);   // 1120 of 1130 tokens
  EXPECT_EQ(hashes(1, 16).size(), 100U);  // all 1600
  EXPECT_EQ(hashes(2, 16).size(), 32U);   // 512 of 600 are told
  EXPECT_EQ(hashes(3, 16).size(), 0U);
  EXPECT_EQ(shared_blocks(hashes(0, 16), hashes(1, 16)), 64U);  // 1024 tokens
  EXPECT_EQ(shared_blocks(hashes(0, 48), hashes(1, 48)), 21U);  // 1008 of them
  EXPECT_EQ(shared_blocks(hashes(0, 512), hashes(1, 512)), 2U);
  EXPECT_EQ(shared_blocks(hashes(0, 1024), hashes(1, 1024)), 1U);
  EXPECT_EQ(shared_blocks(hashes(0, 16), hashes(2, 16)), 0U);
}

// Would catch: hashes that do not reach the request, that move while it lives, are made for a
// server that shares nothing, or are kept for ever.
TEST(PromptHashes, LiveAsLongAsTheirRequest) {
  const Trace trace = read_text(kMooncakeLike);
  TraceView view(trace);
  TraceWorkload workload(view, 16);
  Events events;
  std::vector<Event> due;
  std::vector<Request> requests;
  for (const auto at : {0, 5, 9}) {
    workload.post_until(kOrigin + Duration(at), events);
    events.take_due(kNever, due);
    for (const auto& event : due) requests.push_back(std::get<Arrival>(event.payload).request);
    if (at == 5) workload.on_end(RequestId{0}, kOrigin + Duration(5), events);
  }
  ASSERT_EQ(requests.size(), 4U);
  EXPECT_EQ(workload.kept_hashes(), 2U);  // request 3 has none
  for (std::size_t i = 1; i < 4; ++i) {
    EXPECT_TRUE(
        std::ranges::equal(requests[i].prompt_hashes, prompt_hashes(trace, trace.requests[i], 16)));
  }
  for (std::uint32_t i = 0; i < 4; ++i) workload.on_end(RequestId{i}, kOrigin, events);
  EXPECT_EQ(workload.kept_hashes(), 0U);

  TraceView again(trace);
  TraceWorkload unshared(again);
  unshared.post_until(kOrigin, events);
  events.take_due(kNever, due);
  ASSERT_FALSE(due.empty());
  EXPECT_TRUE(std::get<Arrival>(due[0].payload).request.prompt_hashes.empty());
}

}  // namespace
}  // namespace tokenyard
