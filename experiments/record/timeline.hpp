#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "experiments/record/requests_csv.hpp"
#include "experiments/record/stage_bubbles.hpp"
#include "experiments/record/text_buffer.hpp"
#include "sim/ports/observer.hpp"

namespace tokenyard {

/// Writes a run as Chrome trace events (the JSON array form of Google's "Trace Event Format"),
/// which Perfetto and chrome://tracing open. Process 1 has the iterations as complete events, one
/// thread per iteration in flight at once, and counters (running, waiting, kv_blocks_used). Of a
/// pipeline, process 3 has a thread per stage with the iterations that it works on and the bubbles
/// between them.
/// Process 2 has the requests as asynchronous events: one slice for the request and inside it one
/// for each phase it goes through. Times are microseconds with three decimals, exact; events come
/// in the order of time. What has happened is streamed on, so memory is that of the live requests.
/// One object serves one run, from the loop's thread; `out` outlives it.
class TimelineWriter final : public Observer {
 public:
  /// `labels` names the requests; where it does not, the id is used.
  /// `name` stands for the file in messages.
  TimelineWriter(std::ostream& out, std::string name, RequestLabels labels = {});

  void decided(Time now, const Iteration& iteration, const IterationFacts& facts) override;
  void completed(Time now, const Iteration& iteration) override;
  void staged(const Iteration& iteration, std::size_t stage, Time begun, Time ended) override;
  void entered(RequestId request, Phase phase, Time now) override;
  void ended(const RequestFacts& facts) override;

  /// Completes the file; to be called once, after the run. Throws `InputError` when it could not
  /// be written.
  void finish();

 private:
  /// An event that waits for its turn: events are made known nearly, not quite, in time order.
  struct Event {
    Time at;
    bool open = false;  ///< an iteration whose end is not known yet: it holds back what follows
    std::uint64_t iteration = 0;
    std::size_t lane = 0;
    std::string text;  ///< all that follows the event's time, without the closing brace
  };

  void add(Time at, std::string text);
  void counter(Time at, const char* name, std::int64_t value, std::int64_t& last);
  void counters(Time at, std::int64_t running, const IterationFacts& facts);
  void stage_slice(std::size_t stage, Time from, Time to, std::string_view name,
                   const std::string& arguments);
  void bubble(const StageBubble& found);
  void slice(char kind, std::size_t request, Time at, std::string_view name,
             const std::string& arguments = "");
  std::string title(std::size_t request) const;
  void pass_on(bool everything);
  void line(std::string_view text);

  TextBuffer out_;
  RequestLabels labels_;
  std::vector<Event> waiting_events_;
  std::vector<bool> lanes_;           ///< by thread of process 1: whether an iteration is on it
  std::vector<std::uint8_t> phases_;  ///< by request: 1 + the phase it is in, 0 before and after
  std::int64_t in_flight_ = 0;
  std::size_t named_stages_ = 0;
  StageBubbles bubbles_;
  Time idle_since_ = kNever;
  std::int64_t running_ = -1, waiting_ = -1, kv_blocks_used_ = -1;  ///< as last written
  bool first_line_ = true;
};

}  // namespace tokenyard
