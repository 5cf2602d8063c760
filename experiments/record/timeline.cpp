#include "experiments/record/timeline.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "experiments/record/requests_csv.hpp"
#include "sim/kernel/invariant.hpp"

namespace tokenyard {

namespace {

constexpr int kServer = 1;
constexpr int kRequests = 2;
constexpr int kStages = 3;

/// A JSON string with its quotes.
std::string json_string(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    if (static_cast<unsigned char>(c) < 0x20) {
      quoted += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

std::string duration_text(Duration duration) {
  return fmt::format(R"(,"dur":{}.{:03})", duration.count() / 1000, duration.count() % 1000);
}

std::string metadata(const char* kind, int process, std::size_t thread, const std::string& name) {
  return fmt::format(R"({{"ph":"M","name":"{}","pid":{},"tid":{},"ts":0,"args":{{"name":{}}}}})",
                     kind, process, thread, json_string(name));
}

}  // namespace

TimelineWriter::TimelineWriter(std::ostream& out, std::string name, RequestLabels labels)
    : out_(out, std::move(name)), labels_(std::move(labels)) {
  out_.text("[\n");
  line(metadata("process_name", kServer, 0, "server"));
  line(metadata("process_name", kRequests, 0, "requests"));
}

void TimelineWriter::line(std::string_view text) {
  if (!first_line_) out_.text(",").end_line();
  first_line_ = false;
  out_.text(text);
}

void TimelineWriter::add(Time at, std::string text) {
  waiting_events_.push_back({at, false, 0, 0, std::move(text)});
}

void TimelineWriter::counter(Time at, const char* name, std::int64_t value, std::int64_t& last) {
  if (value == last) return;
  last = value;
  add(at, fmt::format(R"("ph":"C","name":"{}","pid":{},"tid":0,"args":{{"value":{}}})", name,
                      kServer, value));
}

void TimelineWriter::counters(Time at, std::int64_t running, const IterationFacts& facts) {
  counter(at, "running", running, running_);
  counter(at, "waiting", facts.waiting, waiting_);
  counter(at, "kv_blocks_used", facts.kv_blocks_used, kv_blocks_used_);
}

void TimelineWriter::decided(Time now, const Iteration& iteration, const IterationFacts& facts) {
  if (idle_since_ < now) counters(idle_since_, 0, {});
  idle_since_ = kNever;
  counters(now, static_cast<std::int64_t>(iteration.slots.size()), facts);
  if (!iteration.empty()) {
    ++in_flight_;
    bubbles_.begun(now);
    std::size_t lane = 0;
    while (lane < lanes_.size() && lanes_[lane]) ++lane;
    if (lane == lanes_.size()) {
      lanes_.push_back(false);
      line(metadata("thread_name", kServer, lane + 1, fmt::format("iterations {}", lane + 1)));
    }
    lanes_[lane] = true;
    const IterationLoad& load = iteration.load;
    Event event{now, true, index(iteration.id), lane, {}};
    event.text = fmt::format(
        R"("ph":"X","name":"iteration","cat":"iteration","pid":{},"tid":{},"args":{{)"
        R"("iteration":{},"batch":{},"prefill_tokens":{},"decode_tokens":{},"waiting":{}}})",
        kServer, lane + 1, event.iteration, iteration.slots.size(), load.prefill_tokens,
        load.decode_sequences, facts.waiting);
    waiting_events_.push_back(std::move(event));
  }
  pass_on(false);
}

void TimelineWriter::completed(Time now, const Iteration& iteration) {
  const auto found = std::find_if(
      waiting_events_.begin(), waiting_events_.end(),
      [&](const Event& event) { return event.open && event.iteration == index(iteration.id); });
  invariant(found != waiting_events_.end(), "I6 an iteration ends once",
            "iteration {} ended and was not in flight", index(iteration.id));
  found->text += duration_text(now - found->at);
  found->open = false;
  lanes_[found->lane] = false;
  if (--in_flight_ == 0) idle_since_ = now;
  for (const StageBubble& each : bubbles_.ended(now)) bubble(each);
}

void TimelineWriter::stage_slice(std::size_t stage, Time from, Time to, std::string_view name,
                                 const std::string& arguments) {
  add(from,
      fmt::format(R"("ph":"X","name":"{0}","cat":"{0}","pid":{1},"tid":{2},"args":{{{3}}}{4})",
                  name, kStages, stage + 1, arguments, duration_text(to - from)));
}

void TimelineWriter::bubble(const StageBubble& found) {
  stage_slice(found.stage, found.from, found.to, "bubble", "");
}

void TimelineWriter::staged(const Iteration& iteration, std::size_t stage, Time begun, Time ended) {
  if (named_stages_ == 0) line(metadata("process_name", kStages, 0, "pipeline"));
  for (; named_stages_ <= stage; ++named_stages_) {
    line(metadata("thread_name", kStages, named_stages_ + 1,
                  fmt::format("stage {}", named_stages_ + 1)));
  }
  if (const auto found = bubbles_.busy(stage, begun, ended)) bubble(*found);
  stage_slice(
      stage, begun, ended, "stage",
      fmt::format(R"("iteration":{},"batch":{})", index(iteration.id), iteration.slots.size()));
}

void TimelineWriter::slice(char kind, std::size_t request, Time at, std::string_view name,
                           const std::string& arguments) {
  add(at,
      fmt::format(R"("ph":"{}","cat":"request","name":{},"id":{},"pid":{},"tid":0,"args":{{{}}})",
                  kind, json_string(name), request, kRequests, arguments));
}

/// What a request's slice is called.
std::string TimelineWriter::title(std::size_t request) const {
  const std::string label = labels_ ? labels_(static_cast<RequestId>(request)) : std::string();
  return "request " + (label.empty() ? std::to_string(request) : label);
}

void TimelineWriter::entered(RequestId request, Phase phase, Time now) {
  const std::size_t id = index(request);
  if (id >= phases_.size()) phases_.resize(id + 1, 0);
  if (phases_[id] == 0) {
    slice('b', id, now, title(id));
  } else {
    slice('e', id, now, phase_name(static_cast<Phase>(phases_[id] - 1)));
  }
  slice('b', id, now, phase_name(phase));
  phases_[id] = static_cast<std::uint8_t>(1 + static_cast<std::uint8_t>(phase));
}

void TimelineWriter::ended(const RequestFacts& facts) {
  const std::size_t id = index(facts.request.id);
  // A request that was refused entered no phase; it gets its queue, as far as it came.
  if (id >= phases_.size() || phases_[id] == 0) {
    entered(facts.request.id, Phase::queue, facts.request.arrival);
  }
  slice('e', id, facts.ended, phase_name(static_cast<Phase>(phases_[id] - 1)));
  phases_[id] = 0;
  std::string arguments =
      fmt::format(R"("status":"{}","prompt_tokens":{},"output_tokens":{},"preemptions":{},)"
                  R"("recomputed_tokens":{})",
                  status_name(facts.end), facts.request.prompt_tokens, facts.output_tokens,
                  facts.preemptions, facts.recomputed_tokens);
  if (!facts.reason.empty()) arguments += ",\"reason\":" + json_string(facts.reason);
  slice('e', id, facts.ended, title(id), arguments);
}

/// After a decision nothing earlier can come any more (a later boundary only learns of arrivals
/// after this one), so all is in its final order up to the first iteration still running.
void TimelineWriter::pass_on(bool everything) {
  std::stable_sort(waiting_events_.begin(), waiting_events_.end(),
                   [](const Event& a, const Event& b) { return a.at < b.at; });
  std::size_t done = 0;
  for (; done < waiting_events_.size(); ++done) {
    const Event& event = waiting_events_[done];
    if (event.open && !everything) break;
    line("{\"ts\":");
    out_.microseconds(event.at - kOrigin).text(",").text(event.text).text("}");
  }
  waiting_events_.erase(waiting_events_.begin(),
                        waiting_events_.begin() + static_cast<std::ptrdiff_t>(done));
}

void TimelineWriter::finish() {
  invariant(in_flight_ == 0, "I6 an iteration ends once", "{} iterations never ended", in_flight_);
  if (idle_since_ != kNever) counters(idle_since_, 0, {});
  pass_on(true);
  out_.text("\n]").end_line();
  out_.flush();
}

}  // namespace tokenyard
