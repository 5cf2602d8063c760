#include "experiments/record/flight_record.hpp"

#include <fmt/ranges.h>

#include <chrono>
#include <iterator>
#include <utility>
#include <variant>

#include "sim/kernel/input_error.hpp"
#include "traces/line_reader.hpp"

namespace tokenyard {

namespace {

/// What is written is handed to the system once a second of the run's own time.
constexpr Duration kHandOn = std::chrono::seconds(1);

std::int64_t ns(Time time) {
  return time.time_since_epoch().count();
}

}  // namespace

FlightRecord::FlightRecord(const std::string& path, FlightHeader header,
                           std::unique_ptr<const OutputOracle> truth)
    : path_(path),
      file_(path, OutputFile::Appears::at_once),
      header_(std::move(header)),
      truth_(std::move(truth)) {
  add("{}", header_line(header_));
  end_line();
  file_.flush();
}

template <typename... Args>
void FlightRecord::add(fmt::format_string<Args...> text, Args&&... args) {
  fmt::format_to(std::back_inserter(line_), text, std::forward<Args>(args)...);
}

template <typename Range>
void FlightRecord::add_list(const char* key, const Range& values) {
  if (!values.empty()) add(R"(,"{}":[{}])", key, fmt::join(values, ","));
}

void FlightRecord::end_line() {
  if (line_.size() > kLongestLine) {
    throw InputError(path_, 0, "", "one event takes more than the 16 MiB that a line may have");
  }
  line_.push_back('\n');
  file_.write({line_.data(), line_.size()});
  line_.clear();
}

void FlightRecord::fed(Time now, std::span<const Event> due) {
  for (const Event& event : due) {
    std::visit([&](const auto& payload) { write(payload, event.at); }, event.payload);
  }
  add(R"({{"fed_ns":{},"due":{}}})", ns(now), due.size());
  end_line();
  if (now - flushed_ < kHandOn) return;
  file_.flush();
  flushed_ = now;
}

void FlightRecord::write(const IterationEnd& end, Time at) {
  add(R"({{"end":{},"at_ns":{})", index(end.iteration), ns(at));
  if (end.ends.size() > 1) {
    std::vector<std::int64_t> gaps;
    for (std::size_t i = 1; i < end.ends.size(); ++i) {
      gaps.push_back((end.ends[i] - end.ends[i - 1]).count());
    }
    add_list("gaps_ns", gaps);
  }
  if (!end.all_go_on) add_outcomes(end.outcomes);
  add("}}");
  end_line();
}

void FlightRecord::add_outcomes(std::span<const SlotOutcome> outcomes) {
  add(R"(,"outcomes":[)");
  bool first = true;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const SlotOutcome& outcome = outcomes[i];
    if (outcome == SlotOutcome()) continue;
    add(R"({}{{"slot":{})", std::exchange(first, false) ? "" : ",", i);
    if (outcome.finished) add(R"(,"finished":true)");
    if (outcome.parent != SlotOutcome().parent) add(R"(,"parent":{})", outcome.parent);
    if (outcome.block_hash != kNoHash) {
      add(R"(,"block_hash":"{:016x}")", static_cast<std::uint64_t>(outcome.block_hash));
    }
    add("}}");
  }
  add("]");
}

void FlightRecord::write(const StageFree& free, Time at) {
  add(R"({{"stage_free":{},"at_ns":{}}})", index(free.iteration), ns(at));
  end_line();
}

void FlightRecord::write(const CopyEnd& end, Time at) {
  add(R"({{"copy":{},"at_ns":{}{}}})", index(end.copy), ns(at),
      end.failed ? R"(,"failed":true)" : "");
  end_line();
}

void FlightRecord::write(const Cancellation& cancellation, Time) {
  add(R"({{"cancel":{}}})", index(cancellation.request));
  end_line();
}

void FlightRecord::write(const Arrival& arrival, Time) {
  const Request& request = arrival.request;
  add(R"({{"arrival":{},"at_ns":{},"prompt_tokens":{})", index(request.id), ns(request.arrival),
      request.prompt_tokens);
  if (truth_) add(R"(,"output_tokens":{})", truth_->output_tokens(request.id));
  if (request.max_tokens) add(R"(,"max_tokens":{})", *request.max_tokens);
  if (index(request.tenant) != 0) add(R"(,"tenant":{})", index(request.tenant));
  if (request.priority != 0) add(R"(,"priority":{})", request.priority);
  if (request.width != 1) add(R"(,"width":{})", request.width);
  if (request.beam_search) add(R"(,"beams":true)");
  if (!request.prompt_hashes.empty()) {
    add(R"(,"prompt_hashes":")");
    for (const BlockHash hash : request.prompt_hashes) {
      add("{:016x}", static_cast<std::uint64_t>(hash));
    }
    add("\"");
  }
  add("}}");
  end_line();
}

void FlightRecord::passed(Time, const Iteration& decision) {
  const DecisionWords words = teller_.tell(decision);
  digest_.add(decision);
  add(R"({{"pass":{})", passes_++);
  if (words.iteration >= 0) {
    add(R"(,"iteration":{},"sequences":{})", words.iteration, words.sequences);
    if (words.prefill_tokens > 0) add(R"(,"prefill_tokens":{})", words.prefill_tokens);
    if (words.repeat > 1) add(R"(,"repeat":{})", words.repeat);
    if (words.block_copies > 0) add(R"(,"block_copies":{})", words.block_copies);
  }
  add_list("joined", words.joined);
  add_list("left", words.left);
  add_list("copied_out", words.copied_out);
  add_list("copied_in", words.copied_in);
  add(R"(,"digest":"{:016x}"}})", digest_.value());
  end_line();
}

void FlightRecord::finish(const std::string& trace_digest) {
  add(R"({{"passes":{})", passes_);
  if (header_.trace_digest.empty() && !trace_digest.empty()) {
    add(R"(,"trace_digest":"{}")", trace_digest);
  }
  add("}}");
  end_line();
  file_.commit();
}

}  // namespace tokenyard
