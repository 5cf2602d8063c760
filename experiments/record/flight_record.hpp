#pragma once

#include <fmt/format.h>

#include <memory>
#include <span>
#include <string>

#include "experiments/record/decision_digest.hpp"
#include "experiments/record/decision_words.hpp"
#include "experiments/record/flight_header.hpp"
#include "sim/ports/observer.hpp"
#include "sim/ports/output_oracle.hpp"
#include "traces/output_file.hpp"

namespace tokenyard {

/// Writes down what each pass of a run was fed, and what it decided: enough to feed a scheduler
/// again (see replay.hpp) with no clock, executor or trace. JSON Lines, compressed where the name
/// ends in .gz. The file grows while the run goes on: what a stopped run leaves can be read, and a
/// killed one loses at most the last second of its own time (of a .gz file more, and its end must
/// be repaired). Memory is that of the requests that live at once. One object serves one run, from
/// the loop's thread.
class FlightRecord final : public Observer {
 public:
  /// `truth` may be null where no output length is known ahead; it is asked for each request at its
  /// arrival. Throws `InputError` where the file cannot be written, here and later.
  FlightRecord(const std::string& path, FlightHeader header,
               std::unique_ptr<const OutputOracle> truth);

  void fed(Time now, std::span<const Event> due) override;
  void passed(Time now, const Iteration& decision) override;
  bool watches_iterations() const override { return false; }
  bool reads_tables() const override { return true; }

  /// To be called after the run. `trace_digest` is that of the whole trace, if there is one.
  void finish(const std::string& trace_digest = "");

 private:
  void write(const IterationEnd& end, Time at);
  void write(const StageFree& free, Time at);
  void write(const CopyEnd& end, Time at);
  void write(const Cancellation& cancellation, Time at);
  void write(const Arrival& arrival, Time at);
  void add_outcomes(std::span<const SlotOutcome> outcomes);
  template <typename... Args>
  void add(fmt::format_string<Args...> text, Args&&... args);
  template <typename Range>
  void add_list(const char* key, const Range& values);
  void end_line();

  std::string path_;
  OutputFile file_;
  FlightHeader header_;
  std::unique_ptr<const OutputOracle> truth_;
  fmt::memory_buffer line_;
  DecisionTeller teller_;
  DecisionDigest digest_;
  std::int64_t passes_ = 0;
  Time flushed_ = kOrigin;
};

}  // namespace tokenyard
