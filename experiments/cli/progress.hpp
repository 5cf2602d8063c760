#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <ostream>
#include <string>

#include "sim/kernel/time.hpp"
#include "sim/ports/observer.hpp"

namespace tokenyard {

/// A line on the terminal that says how far a run is: ended requests out of all, their rate and
/// the time left. It looks at the clock so rarely that it costs nothing, and steers nothing. One
/// object serves one run, from the loop's thread.
class Progress final : public Observer {
 public:
  /// Real time passed since some fixed moment.
  using Elapsed = std::function<Duration()>;

  /// `total` requests are expected; `out` outlives this object.
  Progress(std::string label, std::int64_t total, Elapsed elapsed, std::ostream& out);
  ~Progress() override;  ///< wipes the line

  /// One that writes to standard error; null when that is no terminal or `quiet` is set.
  static std::unique_ptr<Progress> on_terminal(std::string label, std::int64_t total, bool quiet);

  void ended(const RequestFacts& facts) override;

 private:
  void look();

  std::string label_;
  std::int64_t total_;
  Elapsed elapsed_;
  std::ostream& out_;
  std::int64_t ended_ = 0;
  std::int64_t next_look_ = 1;
  std::int64_t stride_ = 1;  ///< ends between two looks at the clock
  Duration begun_{0};
  Duration looked_{0};
  Duration printed_{0};
  bool visible_ = false;
};

}  // namespace tokenyard
