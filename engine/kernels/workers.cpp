#include "engine/kernels/workers.hpp"

#include <new>

#include "sim/kernel/invariant.hpp"

namespace tokenyard {
namespace {

constexpr std::align_val_t kCacheLine{64};

/// Pauses before a waiting thread sleeps. A pause takes 40 to 140 cycles, by the CPU, so this is of
/// the order of ten microseconds: longer than the gaps between the parts of a forward pass, shorter
/// than what waking a sleeper costs.
constexpr int kPausesBeforeSleep = 500;

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

/// Waits until `value` is not `old` any more.
template <typename Value>
void wait_for_change(const std::atomic<Value>& value, Value old) {
  for (int i = 0; i < kPausesBeforeSleep; ++i) {
    if (value.load(std::memory_order_acquire) != old) return;
    pause();
  }
  value.wait(old, std::memory_order_acquire);
}

}  // namespace

void Workers::AlignedDelete::operator()(std::byte* memory) const {
  ::operator delete(memory, kCacheLine);
}

Workers::Workers(int count) : count_(count) {
  invariant(count >= 1, "Workers", "a crew of {}", count);
  thrown_.resize(static_cast<std::size_t>(count));
  threads_.reserve(static_cast<std::size_t>(count - 1));
  try {
    for (int worker = 1; worker < count; ++worker) {
      threads_.emplace_back([this, worker] { follow(worker); });
    }
  } catch (...) {  // the system gives no more threads
    stop();
    throw;
  }
}

Workers::~Workers() {
  stop();
}

void Workers::stop() {
  stopping_ = true;
  started_.fetch_add(1, std::memory_order_release);
  started_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

std::byte* Workers::scratch(std::size_t bytes) {
  if (bytes > scratch_bytes_) {
    scratch_.reset();
    scratch_bytes_ = 0;
    scratch_.reset(static_cast<std::byte*>(::operator new(bytes, kCacheLine)));
    scratch_bytes_ = bytes;
  }
  return scratch_.get();
}

void Workers::run_on_all(Job job) {
  invariant(!running_, "Workers", "a call within a call");
  running_ = true;
  job_ = job;
  busy_.store(count_ - 1, std::memory_order_relaxed);
  started_.fetch_add(1, std::memory_order_release);
  started_.notify_all();
  carry_out(0);
  for (int left = busy_.load(std::memory_order_acquire); left != 0;
       left = busy_.load(std::memory_order_acquire)) {
    wait_for_change(busy_, left);
  }
  running_ = false;
  std::exception_ptr first;
  for (std::exception_ptr& thrown : thrown_) {
    if (thrown && !first) first = thrown;
    thrown = nullptr;
  }
  if (first) std::rethrow_exception(first);
}

void Workers::carry_out(int worker) noexcept {
  try {
    job_.call(job_.context, worker, count_);
  } catch (...) {
    thrown_[static_cast<std::size_t>(worker)] = std::current_exception();
  }
}

void Workers::follow(int worker) noexcept {
  for (std::uint32_t seen = 0;;) {
    wait_for_change(started_, seen);
    ++seen;
    if (stopping_) return;
    carry_out(worker);
    if (busy_.fetch_sub(1, std::memory_order_acq_rel) == 1) busy_.notify_one();
  }
}

}  // namespace tokenyard
