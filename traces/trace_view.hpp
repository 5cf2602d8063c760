#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "sim/kernel/invariant.hpp"
#include "traces/trace.hpp"

namespace tokenyard {

/// The requests of a trace by dense id, for one run: all of a trace that is in memory, or (see
/// `TraceStream`) a part that moves along with the run. Not safe to share between threads.
class TraceView {
 public:
  /// All of `trace`, which must outlive the view and stay as it is.
  explicit TraceView(const Trace& trace)
      : TraceView(trace.requests.size(), std::numeric_limits<std::size_t>::digits - 1) {
    append(trace);
  }
  virtual ~TraceView() = default;
  TraceView(const TraceView&) = delete;
  TraceView& operator=(const TraceView&) = delete;

  /// How many requests the trace has.
  std::size_t size() const { return size_; }

  /// Makes the request `id` readable; ids are asked for in order. Throws `InputError` where the
  /// trace cannot be read on.
  void need(std::size_t id) {
    while (id >= loaded_) load();
  }

  /// Where a request stands: in the trace's own tables and pools.
  struct Place {
    const Trace* trace;
    std::size_t at;

    const RequestTable& table() const { return trace->requests; }
  };
  /// Of a request that was needed and not forgotten.
  Place place(std::size_t id) const {
    // Of a forgotten block the difference wraps around to a great number.
    const std::size_t block = (id >> block_bits_) - first_block_;
    const std::size_t at = id & ((std::size_t{1} << block_bits_) - 1);
    if (block >= blocks_.size() || id >= loaded_) refuse(id);
    return {blocks_[block], at};
  }

  /// The trace, where all of it is in memory; else nullptr.
  const Trace* whole() const {
    return blocks_.size() == 1 && loaded_ == size_ ? blocks_.front() : nullptr;
  }

  /// Of the whole trace, see `digest_of`; precondition: its last request was needed.
  virtual std::string digest() const { return blocks_.front()->digest; }

  /// Requests below `id` are not asked for any more.
  virtual void forget_before(std::size_t /*id*/) {}

 protected:
  /// A view of `size` requests in blocks of 2^`block_bits`.
  TraceView(std::size_t size, int block_bits) : size_(size), block_bits_(block_bits) {}

  /// The next block: whole but for the trace's last. Kept by the owner until it is dropped.
  void append(const Trace& block) {
    blocks_.push_back(&block);
    loaded_ += block.requests.size();
  }
  /// The oldest block is gone.
  void drop_first() {
    blocks_.erase(blocks_.begin());
    ++first_block_;
  }
  std::size_t loaded() const { return loaded_; }
  std::size_t first_block() const { return first_block_; }
  std::size_t blocks() const { return blocks_.size(); }

 private:
  [[noreturn]] void refuse(std::size_t id) const {
    break_invariant("a trace knows its requests",
                    "request " + std::to_string(id) + " of " + std::to_string(size_));
  }
  /// Appends at least one request. Called while there are any left.
  virtual void load() {
    break_invariant("a trace knows its requests", "one more than there are is asked for");
  }

  std::size_t size_;
  int block_bits_;
  std::size_t loaded_ = 0;
  std::size_t first_block_ = 0;
  std::vector<const Trace*> blocks_;  ///< few: a run asks one after another
};

}  // namespace tokenyard
