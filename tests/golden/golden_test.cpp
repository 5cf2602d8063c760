// Exact results of one fixed trace. Nobody says that these numbers are right (scenarios and theory
// do that); they say that results did not change by accident. Where a change is meant, the message
// is the new table, to be pasted in, and the commit says why.

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <boost/random/uniform_int_distribution.hpp>

#include <string>
#include <vector>

#include "sim/kernel/rng.hpp"
#include "tests/support/integer_cost.hpp"
#include "tests/support/simulation.hpp"

namespace tokenyard::test {
namespace {

using namespace std::chrono_literals;

/// 200 requests at a little over the capacity of the server below: gaps of 0 to 250 ms, short and
/// long prompts and outputs. Whole numbers only, so it is the same on every machine.
std::vector<Job> trace() {
  constexpr std::uint64_t kSeed = 20260101;
  Rng gaps = named_stream(kSeed, "golden gaps");
  Rng lengths = named_stream(kSeed, "golden lengths");
  boost::random::uniform_int_distribution<std::int64_t> gap_us(0, 250'000), one_in_four(0, 3);
  boost::random::uniform_int_distribution<std::int64_t> few(1, 60), many(100, 600);
  std::vector<Job> jobs;
  Time at = kOrigin;
  for (int i = 0; i < 200; ++i) {
    at += std::chrono::microseconds(gap_us(gaps));
    Job job;
    job.arrival = at;
    job.prompt_tokens = one_in_four(lengths) == 0 ? many(lengths) : few(lengths);
    job.output_tokens = one_in_four(lengths) == 0 ? many(lengths) / 2 : few(lengths);
    job.max_tokens = job.output_tokens + few(lengths);
    jobs.push_back(job);
  }
  return jobs;
}

/// An iteration 8 ms, a prompt token 0.1 ms, a sequence 0.5 ms, a token of context 1 us.
const IntegerCost& cost() {
  static const IntegerCost model(
      {.iteration = 8ms, .prefill_token = 100us, .decode_sequence = 500us, .context_token = 1us});
  return model;
}

ServerSettings settings_named(const std::string& name) {
  ServerSettings settings;
  settings.limits.max_num_seqs = 8;
  settings.limits.max_num_batched_tokens = 1024;
  settings.kv.device_blocks = name == "tight" || name == "whole" ? 70 : 4000;
  if (name == "chunked") settings.limits.chunk_tokens = 64;
  if (name == "static") settings.limits.static_batching = true;
  if (name == "whole") settings.kv.reserve = Reserve::whole;
  if (name == "look-past") {
    settings.limits.look_past = true;
    settings.limits.max_num_batched_tokens = 128;
  }
  return settings;
}

/// What a run came to, all exact: sums over the 200 requests in ns.
struct Row {
  const char* policy;
  const char* settings;
  std::int64_t jct_ns, ttft_ns, iterations, preemptions, recomputed_tokens;
};

Row run(const char* policy, const char* settings) {
  const Outcome outcome = simulate(trace(), policy, cost(), settings_named(settings), false);
  Row row{policy, settings, 0, 0, static_cast<std::int64_t>(outcome.decisions.size()), 0, 0};
  for (std::size_t i = 0; i < outcome.requests.size(); ++i) {
    const RequestFacts& facts = outcome.requests[i];
    EXPECT_EQ(facts.end, End::finished) << "request " << i;
    row.jct_ns += outcome.jct(i).count();
    row.ttft_ns += (facts.first_token - facts.request.arrival).count();
    row.preemptions += facts.preemptions;
    row.recomputed_tokens += facts.recomputed_tokens;
  }
  return row;
}

std::string line(const Row& row) {
  return fmt::format("    {{\"{}\", \"{}\", {}, {}, {}, {}, {}}},\n", row.policy, row.settings,
                     row.jct_ns, row.ttft_ns, row.iterations, row.preemptions,
                     row.recomputed_tokens);
}

// clang-format off
const Row kGolden[] = {
    // policy, settings, sum of JCT, sum of TTFT, iterations, preemptions, recomputed tokens
    {"fcfs", "ample", 286061195000, 94145465000, 1979, 0, 0},
    {"fcfs", "tight", 1404880292000, 1223352128000, 3034, 53, 7973},
    {"fcfs", "whole", 2752899194000, 2608405056000, 4587, 0, 0},
    {"fcfs", "chunked", 295694142000, 104258870000, 1984, 0, 0},
    {"fcfs", "static", 4880372667000, 4368898582000, 5011, 0, 0},
    {"fcfs", "look-past", 286229189000, 93972053000, 1979, 1, 0},
    {"mlfq", "ample", 265866450000, 6338589000, 1978, 172, 0},
    {"mlfq", "tight", 1211503362000, 7487227000, 3100, 342, 69610},
    {"mlfq", "chunked", 273102387000, 9946349000, 1982, 182, 0},
    {"mlfq:order=lifo", "ample", 279944214000, 6405519000, 1976, 146, 0},
    {"mlfq:order=arrival,overrun=carry", "ample", 266672947000, 6370866000, 1978, 173, 0},
    {"skip-join-mlfq", "ample", 266210065000, 6313362000, 1978, 170, 0},
    {"skip-join-mlfq", "tight", 1172790293000, 7331074000, 3059, 345, 69957},
    {"skip-join-mlfq", "static", 4458282901000, 3930767268000, 5197, 0, 0},
    {"mlfq:demote=fit", "chunked", 273774223000, 9909911000, 1982, 182, 0},
    {"skip-join-mlfq:promote_after_ms=300", "ample", 271942894000, 6408187000, 1980, 453, 0},
    {"srpt", "ample", 229352256000, 16335187000, 2011, 92, 0},
    {"srpt", "tight", 476702373000, 170166991000, 3060, 135, 26113},
    {"srpt", "static", 940818913000, 667325622000, 2993, 0, 0},
    {"srpt:size=work", "chunked", 234368705000, 20011545000, 2028, 101, 0},
};
// clang-format on

// Would catch: any change of results, by one nanosecond or one token, that nobody meant.
TEST(Golden, ExactResultsOfTheFixedTraceDidNotChange) {
  std::string expected, found;
  for (const Row& row : kGolden) {
    expected += line(row);
    found += line(run(row.policy, row.settings));
  }
  EXPECT_TRUE(found == expected) << "the table is now:\n" << found;
}

// Would catch: a trace that depends on the machine or the library, which would hide behind the
// table above.
TEST(Golden, TheTraceItselfDidNotChange) {
  std::int64_t prompts = 0, outputs = 0;
  for (const Job& job : trace()) {
    prompts += job.prompt_tokens;
    outputs += job.output_tokens;
  }
  EXPECT_EQ(trace().back().arrival - kOrigin, Duration(26'107'416'000));
  EXPECT_EQ(prompts, 23127);
  EXPECT_EQ(outputs, 13731);
}

}  // namespace
}  // namespace tokenyard::test
