#pragma once
// Random small workloads and settings for property tests.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <vector>

#include "tests/support/simulation.hpp"

namespace tokenyard::test {

/// What a random workload may contain; arrivals are on whole milliseconds.
struct JobRanges {
  std::int64_t most_jobs = 20;
  std::int64_t gap_ms = 4;
  std::int64_t prompt = 30;
  std::int64_t output = 20;
  bool cancellations = false;
  bool several_sequences = false;  ///< some are parallel samples or beams
  bool known_prompts = false;      ///< prompts of two tenants that begin alike
};

/// Gives `job` a prompt whose beginning it shares with others.
inline void know_prompt(Job& job) {
  using rc::gen::inRange;
  job.tenant = TenantId{*inRange<std::uint32_t>(0, 2)};
  const auto shared = *inRange<std::int64_t>(0, job.prompt_tokens + 1);
  for (std::int64_t i = 0; i < job.prompt_tokens; ++i) {
    const std::uint64_t own = *inRange<std::uint64_t>(100, 103);
    job.prompt_ids.push_back(i < shared ? static_cast<std::uint64_t>(i) : own);
  }
}

/// Makes `job` several sequences.
inline void widen(Job& job) {
  using rc::gen::inRange;
  const auto width = *inRange<std::int32_t>(2, 5);
  if (*inRange(0, 2) == 0) {
    job.beams = width;
    return;
  }
  for (std::int32_t i = 0; i < width; ++i) {
    job.sample_tokens.push_back(*inRange<std::int64_t>(1, job.output_tokens + 1));
  }
}

/// At least one job, in the order of arrival; bursts are frequent.
inline std::vector<Job> random_jobs(const JobRanges& most) {
  using rc::gen::inRange;
  const auto count = *inRange<std::int64_t>(1, most.most_jobs + 1);
  std::vector<Job> jobs;
  Time at = kOrigin;
  for (std::int64_t i = 0; i < count; ++i) {
    at += std::chrono::milliseconds(*inRange<std::int64_t>(0, most.gap_ms + 1));
    Job job;
    job.arrival = at;
    job.prompt_tokens = *inRange<std::int64_t>(1, most.prompt + 1);
    job.output_tokens = *inRange<std::int64_t>(1, most.output + 1);
    const auto spare = *inRange<std::int64_t>(0, 8);
    if (spare > 3) job.max_tokens = job.output_tokens + (spare - 4) * 3;
    if (most.cancellations && *inRange(0, 6) == 0) {
      job.cancel_after = std::chrono::microseconds(*inRange<std::int64_t>(0, 20'000));
    }
    if (most.several_sequences && *inRange(0, 3) == 0) widen(job);
    if (most.known_prompts) know_prompt(job);
    jobs.push_back(job);
  }
  return jobs;
}

/// Any mixture of limits and memory settings, most of them tight.
inline ServerSettings random_settings() {
  using rc::gen::element;
  using rc::gen::inRange;
  ServerSettings settings;
  settings.limits.max_num_seqs = *inRange<std::int64_t>(1, 9);
  settings.limits.max_num_batched_tokens = *inRange<std::int64_t>(1, 64);
  settings.limits.chunk_tokens = *element<std::int64_t>(0, 0, 1, 3, 7, 16);
  settings.limits.static_batching = *inRange(0, 4) == 0;
  settings.limits.look_past = *rc::gen::arbitrary<bool>();
  settings.limits.max_model_len = *element<std::int64_t>(0, 0, 20, 45);
  settings.kv.block_size = *element<std::int64_t>(1, 2, 4, 16);
  settings.kv.device_blocks = *inRange<std::int64_t>(8, 80) / settings.kv.block_size + 1;
  settings.kv.reserve = *element(Reserve::paged, Reserve::paged, Reserve::paged, Reserve::whole,
                                 Reserve::pow2, Reserve::oracle);
  settings.kv.watermark = *element(0.0, 0.0, 0.1, 0.5);
  settings.kv.evict = *element(Evict::recompute, Evict::swap, Evict::cheaper);
  settings.kv.host_blocks = *inRange<std::int64_t>(0, 100) / settings.kv.block_size;
  settings.kv.proactive_swap = *rc::gen::arbitrary<bool>();
  settings.kv.swap_order = *element(SwapOrder::next_scheduled, SwapOrder::ranking);
  settings.kv.prefix_caching = *rc::gen::arbitrary<bool>();
  settings.kv.admit_whole_prompt = *rc::gen::arbitrary<bool>();
  settings.kv.watermark_window = std::chrono::milliseconds(*element(0, 0, 5));
  settings.limits.max_preemptions = *element<std::int64_t>(0, 0, 1, 2);
  if (settings.limits.static_batching) settings.kv.evict = Evict::recompute;
  if (settings.kv.evict == Evict::recompute) settings.kv.proactive_swap = false;
  return settings;
}

}  // namespace tokenyard::test
