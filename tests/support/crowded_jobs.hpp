#pragma once
// Random workloads in which blocks are scarce, shared and moved all the time.

#include <algorithm>

#include "sim/server/request_memory.hpp"
#include "tests/support/content_executor.hpp"
#include "tests/support/random_jobs.hpp"

namespace tokenyard::test {

/// A prompt that goes on from the conversation of `earlier`: its prompt, the beginning of its
/// (greedy) output and something new.
inline void follow_up(Job& job, const Job& earlier) {
  using rc::gen::inRange;
  job.tenant = earlier.tenant;
  job.prompt_ids = earlier.prompt_ids;
  BlockHash so_far = chain_of(job.tenant);
  for (const std::uint64_t id : job.prompt_ids) so_far = chain(so_far, id);
  const auto from_output = *inRange<std::int64_t>(0, earlier.output_tokens + 1);
  for (std::int64_t i = 0; i < from_output; ++i) {
    job.prompt_ids.push_back(greedy_token(so_far));
    so_far = chain(so_far, job.prompt_ids.back());
  }
  job.prompt_ids.push_back(*inRange<std::uint64_t>(100, 103));
  job.prompt_tokens = static_cast<std::int64_t>(job.prompt_ids.size());
}

/// Jobs that come close upon one another; a good part of their prompts begin alike.
inline std::vector<Job> crowded_jobs() {
  using rc::gen::inRange;
  auto jobs = random_jobs({.most_jobs = 48,
                           .gap_ms = 2,
                           .prompt = 24,
                           .output = 24,
                           .cancellations = true,
                           .several_sequences = true,
                           .known_prompts = true});
  for (std::size_t i = 1; i < jobs.size(); ++i) {
    const Job& earlier = jobs[*inRange<std::size_t>(0, i)];
    const bool goes_on = *inRange(0, 3) == 0;
    if (goes_on && earlier.prompt_tokens < 60) follow_up(jobs[i], earlier);
  }
  return jobs;
}

/// A pool in which each of `jobs` just fits alone (so that nobody is rejected), and any settings.
inline ServerSettings crowded_settings(const std::vector<Job>& jobs) {
  using rc::gen::element;
  using rc::gen::inRange;
  ServerSettings settings = random_settings();
  settings.limits.max_num_seqs = *inRange<std::int64_t>(4, 12);
  settings.limits.max_num_batched_tokens = *inRange<std::int64_t>(4, 64);
  settings.limits.static_batching = settings.limits.static_batching && *inRange(0, 3) == 0;
  settings.limits.max_model_len = 0;
  settings.kv.block_size = *element<std::int64_t>(1, 2, 4, 8);
  settings.kv.prefix_caching = *inRange(0, 4) > 0;
  settings.kv.device_blocks = 1;
  for (const Job& job : jobs) {
    const std::int64_t blocks = lifetime_blocks(
        job.width(), job.prompt_tokens, job.prompt_tokens + job.longest(), settings.kv.block_size);
    settings.kv.device_blocks = std::max(settings.kv.device_blocks, blocks);
  }
  settings.kv.device_blocks += *inRange<std::int64_t>(0, 1 + 20 / settings.kv.block_size);
  settings.kv.host_blocks = *inRange<std::int64_t>(0, 4) * settings.kv.device_blocks / 2;
  settings.kv.evict = settings.limits.static_batching
                          ? Evict::recompute
                          : *element(Evict::recompute, Evict::swap, Evict::swap, Evict::cheaper);
  if (settings.kv.evict == Evict::recompute) settings.kv.proactive_swap = false;
  return settings;
}

}  // namespace tokenyard::test
