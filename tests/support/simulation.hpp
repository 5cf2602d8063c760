#pragma once
// A whole pure simulation in one call, for tests: hand-made requests in, facts and decisions out.

#include <algorithm>
#include <functional>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "sim/ports/cost_model.hpp"
#include "sim/ports/executor.hpp"
#include "sim/ports/length_predictor.hpp"
#include "sim/ports/observer.hpp"
#include "sim/ports/output_oracle.hpp"
#include "sim/ports/policy.hpp"
#include "sim/ports/workload.hpp"
#include "sim/server/block_manager.hpp"
#include "sim/server/settings.hpp"

namespace tokenyard::test {

/// A request of a test; ids are positions, so arrivals must not decrease.
struct Job {
  Time arrival = kOrigin;
  std::int64_t prompt_tokens = 1;
  std::int64_t output_tokens = 1;
  std::optional<std::int64_t> max_tokens = std::nullopt;
  std::optional<Duration> cancel_after = std::nullopt;
  std::vector<std::int64_t> sample_tokens = {};  ///< of parallel samples, a length each
  std::int32_t beams = 1;
  TenantId tenant{};
  /// Token ids of its prompt, as far as they are known; the hashes of its blocks come from them.
  std::vector<std::uint64_t> prompt_ids = {};

  std::int32_t width() const {
    return sample_tokens.empty() ? beams : static_cast<std::int32_t>(sample_tokens.size());
  }
  /// The length of its longest output.
  std::int64_t longest() const {
    return sample_tokens.empty() ? output_tokens : std::ranges::max(sample_tokens);
  }
  /// The tokens of all its outputs.
  std::int64_t all_tokens() const {
    return sample_tokens.empty()
               ? output_tokens * beams
               : std::accumulate(sample_tokens.begin(), sample_tokens.end(), std::int64_t{0});
  }
};

/// The chained hashes of the full blocks of `ids`.
std::vector<BlockHash> block_hashes(TenantId tenant, const std::vector<std::uint64_t>& ids,
                                    std::int64_t block_size);

/// Posts the jobs' arrivals and cancellations; the true lengths are its other face.
class JobWorkload final : public Workload, public OutputOracle {
 public:
  explicit JobWorkload(std::vector<Job> jobs, std::int64_t block_size = 16);

  void post_until(Time now, Events& events) override;
  bool expects_more() const override { return next_ < jobs_.size(); }
  std::int64_t output_tokens(RequestId request) const override {
    return jobs_[index(request)].longest();
  }
  std::int64_t output_tokens(RequestId request, std::int32_t sequence) const override {
    const Job& job = jobs_[index(request)];
    return job.sample_tokens.empty() ? job.output_tokens
                                     : job.sample_tokens.at(static_cast<std::size_t>(sequence));
  }

 private:
  std::vector<Job> jobs_;
  std::vector<std::vector<BlockHash>> hashes_;  // by job
  std::size_t next_ = 0;
};

/// Predicts the true length.
class TruePredictor final : public LengthPredictor {
 public:
  explicit TruePredictor(const OutputOracle& oracle) : oracle_(oracle) {}
  double output_tokens_mean(const RequestView& request) const override {
    return static_cast<double>(oracle_.output_tokens(request.id));
  }
  bool stands() const override { return true; }
  bool clairvoyant() const override { return true; }

 private:
  const OutputOracle& oracle_;
};

/// One decided iteration, as tests like to compare it.
struct Decision {
  Time begun;
  std::vector<std::size_t> requests;     ///< in slot order
  std::vector<std::int64_t> new_tokens;  ///< a slot each
  IterationLoad load;
  std::vector<BlockTable> tables;  ///< a slot each
  std::vector<std::int32_t> sequences;
  std::vector<BlockCopy> block_copies;
  IterationFacts facts;
  std::int64_t kv_blocks_used = 0;
  std::int64_t waiting = 0;
};

struct Outcome {
  std::vector<RequestFacts> requests;  ///< by dense id
  std::vector<Decision> decisions;
  std::vector<std::pair<Duration, std::int64_t>> token_gaps;
  Time last_end = kOrigin;

  Duration jct(std::size_t request) const {
    return requests.at(request).ended - requests.at(request).request.arrival;
  }
  double mean_jct_s() const;
};

/// The policy "name" or "name:key=value,…" of the catalogue; "… guarded by after_ms=5" puts a
/// starvation guard around it.
std::unique_ptr<Policy> make_policy(const std::string& text);

/// A pool that is never short, for tests that are about something else.
ServerSettings ample();

/// Makes the executor of a simulation, where it is not to be the plain one.
using MakeExecutor =
    std::function<std::unique_ptr<Executor>(const CostModel&, const OutputOracle&)>;

/// Serves `jobs` under `policy`; `cost` charges and advises. The blocks are audited at each
/// iteration and after the last end, when `audit` is set. `observer` may watch too.
Outcome simulate(const std::vector<Job>& jobs, const std::string& policy, const CostModel& cost,
                 const ServerSettings& settings = ample(), bool audit = true,
                 Observer* observer = nullptr, const MakeExecutor& make_executor = {});
/// The same with a policy object of the caller's.
Outcome simulate(const std::vector<Job>& jobs, Policy& policy, const CostModel& cost,
                 const ServerSettings& settings = ample(), bool audit = true,
                 Observer* observer = nullptr, const MakeExecutor& make_executor = {});

inline Time at_ms(std::int64_t ms) {
  return kOrigin + std::chrono::milliseconds(ms);
}

}  // namespace tokenyard::test
