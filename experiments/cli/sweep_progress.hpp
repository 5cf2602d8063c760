#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <ostream>

#include "experiments/cli/progress.hpp"
#include "sim/kernel/time.hpp"
#include "sim/ports/observer.hpp"

namespace tokenyard {

/// A line on the terminal that says how far a sweep is whose cells run beside one another: cells
/// done out of all, and the time left, as if each request cost the same. Thread-safe; steers
/// nothing.
class SweepProgress {
 public:
  /// `cells` cells with `requests` requests together are to be carried out; `out` outlives this
  /// object.
  SweepProgress(std::int64_t cells, std::int64_t requests, Progress::Elapsed elapsed,
                std::ostream& out);
  ~SweepProgress();  ///< wipes the line

  /// One that writes to standard error; null when that is no terminal or `quiet` is set.
  static std::unique_ptr<SweepProgress> on_terminal(std::int64_t cells, std::int64_t requests,
                                                    bool quiet);

  /// So many requests more have ended.
  void add_requests(std::int64_t ended);
  void add_cell();

 private:
  void show();

  const std::int64_t cells_, requests_;
  std::atomic<std::int64_t> cells_done_{0}, requests_done_{0};
  Progress::Elapsed elapsed_;
  std::mutex mutex_;  ///< of what follows
  std::ostream& out_;
  Duration begun_;
  Duration printed_;
  bool visible_ = false;
};

/// Tells the progress of a sweep about one of its cells.
class CellTicks final : public Observer {
 public:
  explicit CellTicks(SweepProgress& progress) : progress_(progress) {}
  ~CellTicks() override { progress_.add_requests(ended_); }

  bool watches_iterations() const override { return false; }
  void ended(const RequestFacts& facts) override;

 private:
  SweepProgress& progress_;
  std::int64_t ended_ = 0;  ///< not told yet
};

}  // namespace tokenyard
