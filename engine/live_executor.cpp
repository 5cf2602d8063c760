#include "engine/live_executor.hpp"

#include <utility>

namespace tokenyard {

LiveExecutor::LiveExecutor(Engine& engine, const WallClock& clock)
    : engine_(engine),
      clock_(clock),
      computing_([this] { compute(); }),
      copying_([this] { copy(); }) {}

LiveExecutor::~LiveExecutor() {
  stop();
}

void LiveExecutor::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (computing_.joinable()) computing_.join();
  if (copying_.joinable()) copying_.join();
}

void LiveExecutor::check() {
  const std::lock_guard lock(mutex_);
  if (failed_) std::rethrow_exception(std::exchange(failed_, nullptr));
}

void LiveExecutor::begin(const Iteration& iteration, Time, Events& events) {
  check();
  if (!iteration.slots.empty()) engine_.prepare(iteration);
  {
    const std::lock_guard lock(mutex_);
    events_ = &events;
    copies_.insert(copies_.end(), iteration.copies.begin(), iteration.copies.end());
    if (!iteration.slots.empty()) iteration_ = &iteration;
  }
  wake_.notify_all();
}

void LiveExecutor::fail(std::exception_ptr error) {
  const std::lock_guard lock(mutex_);
  failed_ = std::move(error);
}

void LiveExecutor::compute() {
  for (;;) {
    const Iteration* iteration = nullptr;
    Events* events = nullptr;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || iteration_ != nullptr; });
      if (stopping_) return;
      iteration = std::exchange(iteration_, nullptr);
      events = events_;
    }
    std::span<const SlotOutcome> outcomes;
    try {
      outcomes = engine_.compute(*iteration);
    } catch (...) {
      fail(std::current_exception());
      // The loop comes round to the fault by an end like any other.
      none_.assign(iteration->slots.size(), SlotOutcome());
      outcomes = none_;
    }
    events->post_from_thread(clock_.now(), index(iteration->id),
                             IterationEnd{iteration->id, outcomes});
  }
}

void LiveExecutor::copy() {
  for (;;) {
    KvCopy copy;
    Events* events = nullptr;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !copies_.empty(); });
      if (stopping_) return;
      copy = copies_.front();
      copies_.pop_front();
      events = events_;
    }
    bool failed = false;
    try {
      engine_.copy(copy);
    } catch (...) {
      fail(std::current_exception());
      failed = true;
    }
    events->post_from_thread(clock_.now(), index(copy.id), CopyEnd{copy.id, failed});
  }
}

}  // namespace tokenyard
