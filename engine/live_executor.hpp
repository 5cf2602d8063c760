#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "engine/engine.hpp"
#include "sim/kernel/clock.hpp"
#include "sim/ports/executor.hpp"

namespace tokenyard {

/// The engine on the wall clock: iterations are computed on one thread and KV is copied between
/// device and host on another, and each posts its end when it has really ended. What goes wrong
/// there is thrown by the next `begin` (and by `check`). Refers to engine and clock, and to the
/// events from the first `begin` on. Destroying it waits for what is under way.
class LiveExecutor final : public Executor {
 public:
  LiveExecutor(Engine& engine, const WallClock& clock);
  ~LiveExecutor() override;

  void begin(const Iteration& iteration, Time now, Events& events) override;

  void stop() override;
  /// Throws on what went wrong on a thread.
  void check();

 private:
  void compute();
  void copy();
  void fail(std::exception_ptr error);

  Engine& engine_;
  const WallClock& clock_;
  std::mutex mutex_;
  std::condition_variable wake_;
  // All under the mutex.
  Events* events_ = nullptr;
  const Iteration* iteration_ = nullptr;
  std::deque<KvCopy> copies_;
  std::exception_ptr failed_;
  bool stopping_ = false;
  std::vector<SlotOutcome> none_;  // of the computing thread
  std::thread computing_;          // last: they use all of the above
  std::thread copying_;
};

}  // namespace tokenyard
