#include "experiments/bounds/relaxations.hpp"

#include <functional>
#include <queue>
#include <utility>
#include <vector>

namespace tokenyard {

namespace {

/// Plays one machine that always works on the released job with the least key, until it ends or
/// another is released. `key_of(job, left)` is its key, `worked(job, from, length)` hears of each
/// piece, `ended(job, at)` of each end.
template <typename KeyOf, typename Worked, typename Ended>
void play(std::span<const MachineJob> jobs, KeyOf key_of, Worked worked, Ended ended) {
  using Entry = std::pair<std::int64_t, std::size_t>;  // key and job; equals in the order of jobs
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> ready;
  std::vector<std::int64_t> left;
  for (const MachineJob& job : jobs) left.push_back(job.size.count());
  std::int64_t now = 0;
  for (std::size_t next = 0; next < jobs.size() || !ready.empty();) {
    if (ready.empty()) now = std::max(now, (jobs[next].release - kOrigin).count());
    for (; next < jobs.size() && (jobs[next].release - kOrigin).count() <= now; ++next) {
      ready.emplace(key_of(next, left[next]), next);
    }
    const std::size_t job = ready.top().second;
    ready.pop();
    std::int64_t length = left[job];
    if (next < jobs.size()) {
      length = std::min(length, (jobs[next].release - kOrigin).count() - now);
    }
    worked(job, now, length);
    now += length;
    left[job] -= length;
    if (left[job] == 0) {
      ended(job, now);
    } else {
      ready.emplace(key_of(job, left[job]), job);
    }
  }
}

}  // namespace

WideInteger least_completion_sum(std::span<const MachineJob> jobs) {
  WideInteger sum = 0;
  play(
      jobs, [](std::size_t, std::int64_t left) { return left; },
      [](std::size_t, std::int64_t, std::int64_t) {},
      [&](std::size_t, std::int64_t at) { sum += at; });
  return sum;
}

WideInteger least_mean_busy_sum(std::span<const MachineJob> jobs) {
  // Twice the integral of time over the pieces of each job.
  std::vector<WideInteger> moments(jobs.size());
  WideInteger sum = 0;
  play(
      jobs, [&](std::size_t job, std::int64_t) { return jobs[job].size.count(); },
      [&](std::size_t job, std::int64_t from, std::int64_t length) {
        moments[job] += static_cast<WideInteger>(length) * (2 * from + length);
      },
      [&](std::size_t job, std::int64_t at) {
        const std::int64_t size = jobs[job].size.count();
        sum += size == 0 ? WideInteger{at} : moments[job] / (WideInteger{2} * size);
      });
  return sum;
}

}  // namespace tokenyard
