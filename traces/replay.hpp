#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "sim/ports/workload.hpp"
#include "traces/parents.hpp"
#include "traces/trace_view.hpp"

namespace tokenyard {

/// Replays a trace: its arrivals, and the cancellations of impatient clients, at the recorded
/// times; but a request with parents arrives when the last of these has ended (in whatever way) and
/// its delay has passed. Events are posted as they come near, so that a queue stays small. A
/// cancellation is posted with its arrival; one that finds its request gone is nobody's business.
/// Refers to the view, which must outlive it. The hashes of a prompt (see `prompt_hashes`) are made
/// when its arrival is posted and dropped at `on_end`, so that memory is bounded by the requests
/// that live. One object serves one run, from the loop's thread.
class TraceWorkload final : public Workload {
 public:
  /// `kv_block_tokens` is the size of a KV block of the server that shares them by prefix; 0: none
  /// does, and no request gets hashes.
  explicit TraceWorkload(TraceView& trace, std::int64_t kv_block_tokens = 0);

  void post_until(Time now, Events& events) override;
  void on_end(RequestId request, Time now, Events& events) override;
  bool expects_more() const override { return next_ < trace_.size() || waiting_ > 0; }

  /// How many requests live whose prompts have hashes.
  std::size_t kept_hashes() const { return hashes_.size(); }

 private:
  /// Whether a root is left; `next_` is then one.
  bool find_root();
  Time next_arrival();
  void post_next(Events& events);
  void post(std::size_t id, Time arrival, Events& events);

  TraceView& trace_;
  std::int64_t kv_block_tokens_;
  std::size_t next_ = 0;
  Time last_posted_ = kNever;  ///< the arrival of the one before `next_`
  /// Of the requests that live; looked up, never gone through.
  std::unordered_map<RequestId, std::vector<BlockHash>> hashes_;

  // Where some requests wait for others, the trace is in memory as a whole.
  std::optional<ChildLists> children_;
  std::vector<std::uint32_t> open_parents_;  ///< by request: those that have not ended
  std::size_t waiting_ = 0;                  ///< requests that have some
};

}  // namespace tokenyard
