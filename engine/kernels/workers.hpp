#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <thread>
#include <type_traits>
#include <vector>

namespace tokenyard {

/// The items [begin, end) of one worker.
struct Part {
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

/// Cuts [0, count) into `workers` contiguous parts whose sizes differ by at most one, and gives the
/// one of `worker`. It depends on nothing else, so a worker meets the same items in every call.
constexpr Part part_of(std::int64_t count, int worker, int workers) {
  const std::int64_t each = count / workers;
  const std::int64_t more = count % workers;
  const auto start = [&](std::int64_t at) { return at * each + (at < more ? at : more); };
  return {start(worker), start(worker + 1)};
}

/// A fixed crew of threads that run one function together; the calling thread is worker 0. Starting
/// and joining costs well under a microsecond while the others still spin, which they do for some
/// ten microseconds after their last work; then they sleep, so an idle crew uses no CPU. Nothing is
/// allocated in a call. Owned and used by one thread at a time.
class Workers {
 public:
  /// Starts `count` - 1 threads; with 1 there are none, and `run` is a plain call.
  explicit Workers(int count);
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  int count() const { return count_; }

  /// Calls `work(worker, workers)` once on each worker and returns when all have ended; what they
  /// wrote is visible then. Of the exceptions thrown, that of the first worker by number is thrown
  /// on. Calls do not nest.
  template <typename Work>
  void run(Work&& work) {
    if (count_ == 1) {
      work(0, 1);
      return;
    }
    run_on_all({[](const void* context, int worker, int workers) {
                  (*static_cast<std::remove_reference_t<Work>*>(const_cast<void*>(context)))(
                      worker, workers);
                },
                &work});
  }

  /// Memory that all workers may share within a call: at least `bytes`, aligned to a cache line,
  /// with unspecified contents. It stays until the next call of this function; it grows to the
  /// largest size asked for and is then reused, so that a steady state allocates nothing.
  std::byte* scratch(std::size_t bytes);

 private:
  struct Job {
    void (*call)(const void* context, int worker, int workers) = nullptr;
    const void* context = nullptr;
  };
  struct AlignedDelete {
    void operator()(std::byte* memory) const;
  };

  void run_on_all(Job job);
  void carry_out(int worker) noexcept;
  void follow(int worker) noexcept;
  void stop();

  const int count_;
  Job job_;                                 ///< written before, read after a change of `started_`
  std::vector<std::exception_ptr> thrown_;  ///< one a worker
  alignas(64) std::atomic<std::uint32_t> started_{0};  ///< number of the last job given out
  alignas(64) std::atomic<int> busy_{0};               ///< threads that have not ended it
  bool running_ = false;
  bool stopping_ = false;  ///< as `job_`
  std::unique_ptr<std::byte, AlignedDelete> scratch_;
  std::size_t scratch_bytes_ = 0;
  std::vector<std::thread> threads_;  ///< last, since they use all of the above
};

}  // namespace tokenyard
