#include "experiments/replay.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>
#include <variant>
#include <vector>

#include "experiments/compose.hpp"
#include "experiments/interrupt.hpp"
#include "experiments/record/decision_digest.hpp"
#include "sim/kernel/input_error.hpp"
#include "sim/kernel/invariant.hpp"
#include "sim/server/scheduler.hpp"

namespace tokenyard {

std::int64_t RecordedTruth::output_tokens(RequestId request) const {
  const auto found = tokens_.find(request);
  invariant(found != tokens_.end(), "I9 truth is there where it is needed",
            "no length of request {} is known", index(request));
  return found->second;
}

namespace {

/// Sees nothing.
class Nobody final : public Observer {
 public:
  bool watches_iterations() const override { return false; }
};

/// One replay of one record.
class Replay {
 public:
  Replay(FlightReader& record, const ReplayPorts& ports, Observer* observer)
      : record_(record),
        truth_(ports.truth),
        scheduler_(record.header().settings.server,
                   {ports.policy, ports.advising_cost, ports.predictor,
                    record.header().output_tokens_mean > 0 ? &truth_ : nullptr,
                    observer != nullptr ? *observer : nobody_},
                   record.header().depth) {}

  ReplayResult run();

 private:
  /// What a running iteration's end must agree with.
  struct Running {
    std::size_t slots = 0;
    Time begun;
  };

  void take(const FedEvent& event);
  void take(const FedIterationEnd& end);
  void take(const FedStageFree& free);
  void take(const FedCopyEnd& end);
  void take(const Cancellation& cancellation);
  void take(const FedArrival& arrival);
  void post(Time at, std::uint64_t key, Events::Payload payload);
  std::optional<FlightLine> feed(const Fed& fed);
  bool pass(Passed& replayed);
  void note_difference(const std::string& recorded, const std::string& replayed);
  void note_difference(const Passed& recorded, const Passed& replayed);
  void finish(const FlightEnd& end);

  FlightReader& record_;
  RecordedTruth& truth_;
  Nobody nobody_;
  Scheduler scheduler_;
  ReplayResult result_;

  Time now_ = kOrigin;
  std::vector<Event> due_;
  Time latest_ = kOrigin;  ///< of these
  // What they refer to. (Spans stay valid where a vector of vectors grows.)
  std::vector<std::vector<SlotOutcome>> outcomes_;
  std::vector<std::vector<Time>> ends_;
  std::unordered_map<RequestId, std::vector<BlockHash>> hashes_;  ///< of all requests that live

  std::map<IterationId, Running> running_;
  DecisionTeller teller_;
  DecisionDigest digest_;
};

void Replay::post(Time at, std::uint64_t key, Events::Payload payload) {
  latest_ = std::max(latest_, at);
  due_.push_back({at, key, std::move(payload)});
}

void Replay::take(const FedIterationEnd& end) {
  const auto running = running_.find(end.iteration);
  if (running == running_.end()) {
    record_.refuse("/end", fmt::format("iteration {} is not running", index(end.iteration)));
  }
  auto& outcomes = outcomes_.emplace_back(running->second.slots);
  for (const auto& [slot, outcome] : end.outcomes) {
    if (slot >= outcomes.size()) {
      record_.refuse("/outcomes", fmt::format("slot {} of {}", slot, outcomes.size()));
    }
    outcomes[slot] = outcome;
  }
  auto& ends = ends_.emplace_back(1, end.at);
  for (auto gap = end.gaps.rbegin(); gap != end.gaps.rend(); ++gap) {
    ends.push_back(ends.back() - *gap);
  }
  std::reverse(ends.begin(), ends.end());
  if (ends.front() < running->second.begun) {
    record_.refuse("/at_ns",
                   fmt::format("iteration {} ends before it has begun", index(end.iteration)));
  }
  running_.erase(running);
  result_.iterations += static_cast<std::int64_t>(ends.size());
  post(end.at, index(end.iteration), IterationEnd{end.iteration, outcomes, ends, end.all_go_on});
}

void Replay::take(const FedStageFree& free) {
  post(free.at, index(free.iteration), StageFree{free.iteration});
}

void Replay::take(const FedCopyEnd& end) {
  post(end.at, index(end.end.copy), end.end);
}

void Replay::take(const Cancellation& cancellation) {
  post(now_, index(cancellation.request), cancellation);
}

void Replay::take(const FedArrival& arrival) {
  Request request = arrival.request;
  const auto [hashes, is_new] = hashes_.try_emplace(request.id, arrival.prompt_hashes);
  if (!is_new) {
    record_.refuse("/arrival", fmt::format("request {} is there already", index(request.id)));
  }
  request.prompt_hashes = hashes->second;
  if (arrival.output_tokens) truth_.set(request.id, *arrival.output_tokens);
  post(request.arrival, index(request.id), Arrival{request});
}

void Replay::take(const FedEvent& event) {
  std::visit([this](const auto& alternative) { take(alternative); }, event);
}

/// Lets the scheduler decide. Returns whether the loop would ask again at this instant.
bool Replay::pass(Passed& replayed) {
  const Iteration& decision = scheduler_.pass(now_, due_);
  due_.clear();
  for (const RequestId request : scheduler_.ended()) {
    hashes_.erase(request);
    truth_.forget(request);
  }
  if (!decision.slots.empty()) running_[decision.id] = {decision.slots.size(), decision.begun};
  digest_.add(decision);
  replayed = {result_.passes, teller_.tell(decision), digest_.value()};
  return !decision.empty() && scheduler_.can_decide_more();
}

void Replay::note_difference(const std::string& recorded, const std::string& replayed) {
  result_.difference = {result_.passes, now_, record_.line(), recorded, replayed};
}

void Replay::note_difference(const Passed& recorded, const Passed& replayed) {
  const std::string in_record = recorded.words.sentence();
  const std::string here = replayed.words.sentence();
  if (in_record != here) return note_difference(in_record, here);
  note_difference(fmt::format("{} (fingerprint {:016x})", in_record, recorded.digest),
                  fmt::format("the same in these words, on other blocks, at other positions or "
                              "within other bounds (fingerprint {:016x})",
                              replayed.digest));
}

/// Makes the passes at one instant and compares each with the next line; returns the line behind
/// them.
std::optional<FlightLine> Replay::feed(const Fed& fed) {
  if (fed.now < std::max(now_, latest_)) {
    record_.refuse("/fed_ns", "earlier than what was fed before or is fed now");
  }
  if (fed.due != static_cast<std::int64_t>(due_.size())) {
    record_.refuse("/due", fmt::format("there are {} events above", due_.size()));
  }
  now_ = fed.now;
  for (bool more = true; more;) {
    Passed replayed;
    try {
      more = pass(replayed);
    } catch (const InvariantBroken& broken) {
      record_.refuse("", fmt::format("the scheduler cannot be fed this: {}", broken.what()));
    }
    const std::optional<FlightLine> line = record_.next();
    if (!line) return line;
    const auto* recorded = std::get_if<Passed>(&*line);
    if (recorded == nullptr) {
      note_difference("no such pass", replayed.words.sentence());
      return line;
    }
    if (recorded->pass != replayed.pass) {
      record_.refuse("/pass", fmt::format("expected {}: lines are lacking", replayed.pass));
    }
    if (!(*recorded == replayed)) {
      note_difference(*recorded, replayed);
      return line;
    }
    ++result_.passes;
  }
  outcomes_.clear();
  ends_.clear();
  std::optional<FlightLine> line = record_.next();
  const auto* further = line ? std::get_if<Passed>(&*line) : nullptr;
  if (further != nullptr) note_difference(further->words.sentence(), "no such pass");
  return line;
}

void Replay::finish(const FlightEnd& end) {
  if (end.passes != result_.passes) {
    record_.refuse("/passes", fmt::format("{} are recorded above", result_.passes));
  }
  result_.complete = true;
  if (record_.next()) record_.refuse("", "nothing may follow the end of the run");
}

ReplayResult Replay::run() {
  InterruptWatch interrupts;
  std::optional<FlightLine> line = record_.next();
  while (line && !result_.difference) {
    if (const auto* event = std::get_if<FedEvent>(&*line)) {
      take(*event);
      line = record_.next();
    } else if (const auto* fed = std::get_if<Fed>(&*line)) {
      interrupts.fed(fed->now, due_);
      line = feed(*fed);
    } else if (const auto* end = std::get_if<FlightEnd>(&*line)) {
      finish(*end);
      break;
    } else {
      record_.refuse("/pass", "nothing was fed to this pass");
    }
  }
  result_.broke_off = record_.broke_off();
  return result_;
}

}  // namespace

ReplayResult replay(FlightReader& record, const ReplayPorts& ports, Observer* observer) {
  std::optional<Replay> made;
  try {
    made.emplace(record, ports, observer);
  } catch (const InvariantBroken& broken) {
    record.refuse("/settings", fmt::format("no scheduler can have these: {}", broken.what()));
  }
  return made->run();
}

ReplayResult replay(FlightReader& record, Observer* observer) {
  const FlightHeader& header = record.header();
  const Settings& settings = header.settings;
  std::unique_ptr<Policy> policy;
  std::unique_ptr<CostModel> cost;
  std::unique_ptr<LengthPredictor> predictor;
  RecordedTruth truth;
  try {
    policy = compose_policy(header.policy, settings.guard);
    std::optional<JsonObject> file;
    if (!header.cost_json.empty()) file = JsonFile::parse(header.cost_json, "cost");
    cost = compose_cost(settings, file ? &*file : nullptr);
    predictor = compose_predictor(*policy, settings, truth, header.output_tokens_mean, header.seed);
    refuse_contradictions(settings);
    if (settings.server.kv.device_blocks == 0) throw InputError("no kv-blocks are given");
  } catch (const InputError& error) {
    record.refuse("", error.what());
  }
  return replay(record, {*policy, *cost, predictor.get(), truth}, observer);
}

}  // namespace tokenyard
