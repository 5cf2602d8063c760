#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <ostream>
#include <string>

#include "sim/kernel/time.hpp"
#include "sim/ports/observer.hpp"

namespace tokenyard {

/// "12 s", "3:05 min", "1:30 h".
std::string time_left(double seconds);

/// A number with commas between the thousands.
std::string grouped(std::int64_t value);

/// A line on the terminal that says how far a run is: ended requests out of all, their rate and
/// the time left; of several runs that follow one another also which one it is, and the time left
/// for all of them as if each cost the same. It looks at the clock so rarely that it costs nothing,
/// and steers nothing. Used from the loop's thread.
class Progress final : public Observer {
 public:
  /// Real time passed since some fixed moment.
  using Elapsed = std::function<Duration()>;

  /// `runs` runs are expected; `out` outlives this object.
  Progress(std::int64_t runs, Elapsed elapsed, std::ostream& out);
  ~Progress() override;  ///< wipes the line

  /// One that writes to standard error; null when that is no terminal or `quiet` is set.
  static std::unique_ptr<Progress> on_terminal(std::int64_t runs, bool quiet);

  /// So many runs are expected after all; an estimate may change on the way.
  void expect(std::int64_t runs) { runs_ = std::max(runs, run_); }

  /// The next run begins; `total` requests are expected of it.
  void begin(std::string label, std::int64_t total);

  /// One of them has ended, or whatever else the run counts.
  void step();
  void ended(const RequestFacts& facts) override;

 private:
  void look();

  std::string line(Duration now) const;

  std::int64_t runs_;
  Elapsed elapsed_;
  std::ostream& out_;
  Duration begun_{0};
  std::int64_t run_ = 0;  ///< the run that goes on, from 1
  std::string label_;
  std::int64_t total_ = 0;
  std::int64_t ended_ = 0;
  Duration run_begun_{0};
  std::int64_t next_look_ = 1;
  std::int64_t stride_ = 1;  ///< ends between two looks at the clock
  Duration looked_{0};
  Duration printed_{0};
  bool visible_ = false;
};

}  // namespace tokenyard
