#include "experiments/explain/explanation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <optional>

#include "experiments/explain/delay_ledger.hpp"
#include "experiments/explain/request_classes.hpp"
#include "experiments/record/observer_list.hpp"
#include "sim/kernel/input_error.hpp"
#include "sim/kernel/invariant.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

namespace {

/// Keeps what one request went through.
class RequestLife final : public Observer {
 public:
  explicit RequestLife(RequestId request) : request_(request) {}

  void decided(Time now, const Iteration& iteration, const IterationFacts&) override {
    const auto is_it = [this](const Slot& slot) { return slot.request == request_; };
    inside_ = std::ranges::any_of(iteration.slots, is_it);
    begun_ = now;
  }
  void completed(Time now, const Iteration&) override {
    if (inside_) turns_.push_back({begun_, now});
  }
  void entered(RequestId request, Phase phase, Time now) override {
    if (request != request_) return;
    if (!life.empty()) life.back().until = now;
    life.push_back({phase, now, now});
  }
  void ended(const RequestFacts& ended) override {
    if (ended.request.id != request_) return;
    facts = ended;
    if (!life.empty()) life.back().until = ended.ended;
  }

  /// How long it was in the batch and yet no further than before.
  Duration recomputing() const {
    Duration sum{0};
    auto turn = turns_.begin();
    for (const PhaseSpan& span : life) {
      for (; turn != turns_.end() && turn->ended <= span.until; ++turn) {
        if (span.phase == Phase::preempted) sum += turn->ended - turn->begun;
      }
    }
    return sum;
  }

  std::vector<PhaseSpan> life;
  RequestFacts facts;

 private:
  /// An iteration that it was in. Phases change at the ends of iterations, or between them.
  struct Turn {
    Time begun, ended;
  };

  RequestId request_;
  bool inside_ = false;
  Time begun_ = kOrigin;
  std::vector<Turn> turns_;
};

std::string label_of(const TraceView& view, std::size_t id) {
  const TraceView::Place place = view.place(id);
  return place.table().label(place.at);
}

std::size_t find_request(const TraceView& view, const std::string& label) {
  for (std::size_t id = 0; id < view.size(); ++id) {
    if (label_of(view, id) == label) return id;
  }
  throw InputError(fmt::format("--request: the run has no request '{}'; requests.csv names them",
                               printable(label)));
}

/// Whatever one request waits is far below what 64 bits hold.
Duration duration_of(WideInteger nanoseconds) {
  return Duration(static_cast<Duration::rep>(nanoseconds));
}

Duration part_of(const RequestFacts& facts, Phase phase) {
  return facts.phases[static_cast<std::size_t>(phase)];
}

void add_blockers(const DelayLedger& ledger, const TraceView& view,
                  RequestExplanation& explanation) {
  for (std::size_t id = 0; id < view.size(); ++id) {
    const Wait wait{duration_of(ledger.behind(0, Waiting::first_turn, id)),
                    duration_of(ledger.behind(0, Waiting::later, id))};
    if (wait.total() == Duration{0}) continue;
    const TraceView::Place place = view.place(id);
    const TraceRequest request = place.table()[place.at];
    explanation.behind.push_back(
        {request.label, request.input_tokens, request.output_tokens, request.arrival, wait});
  }
  std::ranges::stable_sort(explanation.behind, [](const Blocker& a, const Blocker& b) {
    return a.wait.total() > b.wait.total();
  });
}

}  // namespace

RequestExplanation explain_request(const ExplainedRun& run, const std::string& request) {
  const TraceView& requests = run.requests;
  const std::size_t id = find_request(requests, request);
  DelayGroups groups;
  groups.waiting.assign(requests.size(), DelayGroups::kNone);
  groups.waiting[id] = 0;
  groups.waiting_groups = 1;
  groups.running.resize(requests.size());
  std::iota(groups.running.begin(), groups.running.end(), 0U);
  groups.running_groups = requests.size();

  DelayLedger ledger(std::move(groups));
  RequestLife life(RequestId{static_cast<std::uint32_t>(id)});
  ObserverList observers({&ledger, &life});
  run.watch(observers);

  RequestExplanation explanation;
  explanation.run = run.label;
  explanation.request = request;
  explanation.facts = life.facts;
  explanation.recomputing = life.recomputing();
  explanation.life = std::move(life.life);
  explanation.waited = {duration_of(ledger.waited(0, Waiting::first_turn)),
                        duration_of(ledger.waited(0, Waiting::later))};
  explanation.behind_nobody = {duration_of(ledger.idle(0, Waiting::first_turn)),
                               duration_of(ledger.idle(0, Waiting::later))};
  add_blockers(ledger, requests, explanation);
  if (life.facts.end == End::rejected) return explanation;
  const Duration in_system = life.facts.ended - life.facts.request.arrival;
  const Duration booked = explanation.waited.total() + duration_of(ledger.ran(0));
  invariant(
      booked == in_system && explanation.waited.first_turn == part_of(life.facts, Phase::queue),
      "I7 the phases make up the time in the system", "{} ns of {} ns are explained",
      booked.count(), in_system.count());
  return explanation;
}

WideInteger ClassWait::waited() const {
  WideInteger sum = 0;
  for (std::size_t at = 0; at < first_turn.size(); ++at) sum += behind(at);
  return sum;
}

ClassExplanation explain_classes(const ExplainedRun& run, const std::string& by) {
  RequestClasses classes = classify(run.requests, run.tenants, by);
  const std::size_t count = classes.names.size();
  DelayLedger ledger({classes.of_request, classes.of_request, count, count});
  run.watch(ledger);

  ClassExplanation explanation;
  explanation.run = run.label;
  explanation.by = classes.by;
  for (std::size_t waiting = 0; waiting < count; ++waiting) {
    ClassWait row;
    row.name = classes.names[waiting];
    row.requests = ledger.requests(waiting);
    row.ran = ledger.ran(waiting);
    for (std::size_t running = 0; running < count; ++running) {
      row.first_turn.push_back(ledger.behind(waiting, Waiting::first_turn, running));
      row.later.push_back(ledger.behind(waiting, Waiting::later, running));
    }
    row.first_turn.push_back(ledger.idle(waiting, Waiting::first_turn));
    row.later.push_back(ledger.idle(waiting, Waiting::later));
    explanation.classes.push_back(std::move(row));
  }
  return explanation;
}

namespace {

/// `explain` is a function of an `ExplainedRun`.
template <typename Explain>
auto explain_again(const RecordedRuns& runs, const RecordedRun& run, const Explain& explain) {
  const RunTrace trace = runs.trace(run);
  const auto view = trace.view();
  return explain(ExplainedRun{run.label, *view, trace.survey().tenants,
                              [&](Observer& observer) { runs.run_again(run, trace, observer); }});
}

}  // namespace

RequestExplanation explain_request(const RecordedRuns& runs, const RecordedRun& run,
                                   const std::string& request) {
  return explain_again(runs, run,
                       [&](const ExplainedRun& again) { return explain_request(again, request); });
}

ClassExplanation explain_classes(const RecordedRuns& runs, const RecordedRun& run,
                                 const std::string& by) {
  return explain_again(runs, run,
                       [&](const ExplainedRun& again) { return explain_classes(again, by); });
}

}  // namespace tokenyard
