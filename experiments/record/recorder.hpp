#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <span>
#include <sstream>
#include <string_view>
#include <vector>

#include "experiments/record/level_watch.hpp"
#include "experiments/record/program_times.hpp"
#include "experiments/record/reorder_window.hpp"
#include "experiments/record/replica_merge.hpp"
#include "experiments/record/requests_csv.hpp"
#include "experiments/record/samples.hpp"
#include "experiments/record/stage_bubbles.hpp"
#include "experiments/record/text_buffer.hpp"
#include "experiments/statistics/distribution.hpp"
#include "experiments/statistics/value_counts.hpp"
#include "sim/ports/observer.hpp"

namespace tokenyard {

struct RecorderOptions {
  /// Servers behind a router: each has a pool of its own. Where there are several, iterations.csv
  /// has a last column `replica`, and is in the order of ends, then of replicas.
  std::size_t replicas = 1;
  /// Size of a device's KV pool, for the utilisation; 0: no utilisation is given.
  std::int64_t kv_blocks_total = 0;
  /// Tokens a block; 0: the waste is not given.
  std::int64_t kv_block_size = 0;
  /// What happens before it is kept out of gaps, utilisation and batch mean, and the requests that
  /// arrive before it out of the samples. (requests.csv has them all.)
  Time warmup = kOrigin;
  /// What happens at this time and after it is kept out likewise.
  Time until = kNever;
  /// How long a request with so many prompt and output tokens takes alone on the same machine; 0
  /// where that is not known. None: there is no slowdown.
  std::function<Duration(std::int64_t prompt_tokens, std::int64_t output_tokens)> alone;
  /// The number of the program that a request belongs to, where it has one (`ProgramTimes`). None:
  /// nothing is told of programs.
  std::function<std::optional<std::uint32_t>(RequestId)> program;
  /// Where the requests go, in dense order, while the run goes on; nullptr: nowhere. Owned by the
  /// caller.
  RequestsCsv* requests_csv = nullptr;
  /// Where to stream iterations.csv to; nullptr: nowhere. Owned by the caller.
  std::ostream* iterations_csv = nullptr;
  /// Live requests by queue level, of each replica, kept up to date by the caller (`watch_levels`);
  /// only for iterations.csv. Empty: not told. Owned by the caller.
  std::span<const LevelCounts> level_counts;
};

/// Keeps what the results of one run are computed from, and streams its requests and iterations to
/// files. Work per iteration is O(1) amortised. Memory is some 35 bytes a completed request (see
/// `Samples`), or some 60 a request that waits for an older one to end (`ReorderWindow`), and 8 a
/// distinct token gap (`ValueCounts`). One object serves one run, from the loop's thread.
class Recorder final : public Observer {
 public:
  explicit Recorder(RecorderOptions options = {});

  void decided(Time now, const Iteration& iteration, const IterationFacts& facts) override;
  void completed(Time now, const Iteration& iteration) override;
  void token_gaps(Time now, Duration gap, std::int64_t count) override;
  void stepped(const Iteration& iteration, std::int64_t sequences,
               std::span<const StepFacts> steps) override;
  bool takes_steps_together() const override { return csv_ == nullptr; }
  void staged(const Iteration& iteration, std::size_t stage, Time begun, Time ended) override;
  void ended(const RequestFacts& facts) override;

  /// To be called after the run: all requests must have ended (invariant), and requests.csv and
  /// iterations.csv are complete. Throws `InputError` when they could not be written.
  void finish();
  /// The same for a run that was broken off: of requests that have not ended nothing is kept, and
  /// nothing of programs, for who knows whether they have ended.
  void finish_early();

  /// How many requests have ended.
  std::int64_t ended_requests() const { return ended_; }
  /// The lowest id that has not ended; those below it are in requests.csv.
  std::size_t all_ended_before() const { return window_.taken(); }
  /// How many were refused, by reason.
  const std::map<std::string_view, std::int64_t>& rejections() const { return rejections_; }
  /// What the summary is computed from; complete after `finish`.
  const Samples& samples() const { return samples_; }
  const ValueCounts& gaps() const { return gaps_; }
  /// nullptr: nothing is told of programs.
  const ProgramTimes* programs() const { return programs_ ? &*programs_ : nullptr; }
  std::int64_t iterations() const { return iterations_; }

  /// Blocks in use over blocks there are, of all replicas, averaged over time from the first
  /// decision (or the warm-up) to the last. Empty where no pool is known or no time passed.
  std::optional<double> kv_utilization_mean() const;
  /// Internal fragmentation: places for tokens that hold none over the places in blocks in use,
  /// both integrated over time (Kwon et al., SOSP 2023, section 1, promise under 4 % for paging).
  std::optional<double> kv_waste_mean() const;
  /// Blocks saved by sharing over the blocks that would be in use without it, both integrated over
  /// time (Kwon et al., figure 15).
  std::optional<double> kv_saved_mean() const;
  /// Tokens computed, in iterations begun at or after the warm-up.
  std::int64_t computed_tokens() const { return computed_tokens_; }
  /// The share of a pipeline's time that its stages stand idle with iterations in flight, over the
  /// whole run and all replicas; empty for one stage.
  std::optional<double> stage_bubble_share() const;
  /// Slots per iteration, averaged over the iterations begun at or after the warm-up.
  std::optional<double> batch_mean() const;

 private:
  /// Exact sum of value x nanoseconds.
  class TimeIntegral {
   public:
    void add(std::int64_t value, std::int64_t nanoseconds) {
      sum_ += static_cast<WideInteger>(value) * nanoseconds;
    }
    double sum() const { return static_cast<double>(sum_); }

   private:
    WideInteger sum_ = 0;
  };

  /// What iterations.csv tells of an iteration in flight.
  struct Pending {
    IterationId id{};
    IterationFacts facts;
    LevelCounts levels;
  };

  /// What is known of one replica.
  struct Server {
    std::int64_t in_flight = 0;
    IterationFacts blocks;  ///< those in use since `blocks_since`
    std::optional<Time> blocks_since;
    StageBubbles bubbles;
  };

  bool counts(Time time) const { return time >= options_.warmup && time < options_.until; }
  Server& server(const Iteration& iteration) { return servers_[index(replica_of(iteration.id))]; }
  void account_blocks_until(Server& server, Time now);
  void step(const Iteration& iteration, const StepFacts& step);
  void write_iteration(Time now, const Iteration& iteration);
  void keep(const RequestFacts& facts);

  RecorderOptions options_;
  std::ostringstream row_;           ///< of several replicas: rows go by here
  std::unique_ptr<TextBuffer> csv_;  ///< it writes into `row_` to its own end, so it goes first
  std::optional<ReplicaMerge> merge_;
  std::vector<Pending> pending_;  ///< as many as iterations are in flight; only for the CSV

  ReorderWindow window_;
  Samples samples_;
  std::optional<ProgramTimes> programs_;
  std::int64_t ended_ = 0;
  std::map<std::string_view, std::int64_t> rejections_;
  ValueCounts gaps_;

  std::int64_t iterations_ = 0;
  std::int64_t counted_iterations_ = 0;
  std::int64_t counted_slots_ = 0;
  std::int64_t computed_tokens_ = 0;
  std::vector<Server> servers_;  ///< by replica
  TimeIntegral used_, saved_, unused_;
  Time first_ = kNever;  ///< of all decisions
};

}  // namespace tokenyard
