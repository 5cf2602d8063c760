#include "sim/server/fleet.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "sim/kernel/invariant.hpp"

namespace tokenyard {

namespace {

constexpr ReplicaId kNowhere{std::numeric_limits<std::uint32_t>::max()};

/// The replicas among which a request may be placed, and who waits until one of them is up.
struct Pool {
  std::vector<ReplicaId> members;
  Router* router = nullptr;
  std::vector<Arrival> waiting;
};

/// KV that a replica holds for a request that it has handed over.
struct Transfer {
  ReplicaId from{};
  CopyId release{};  ///< its end sets the blocks there free
  ReplicaId to = kNowhere;
  bool begun = false;
  CopyId pull{};  ///< the copy as its receiver numbers it
  Time end = kNever;
  bool lost = false;  ///< the source has failed before it began
};

/// An outage's begin or end.
struct Change {
  Time at;
  ReplicaId replica;
  bool up;
};

class Fleet final : public RoutingContext {
 public:
  Fleet(const FleetSettings& settings, const ServerSettings& server, const ReplicaPorts& ports,
        const FleetRouters& routers, const std::function<ReplicaParts(ReplicaId)>& make,
        const KvTransferTime& transfer_time, Clock& clock, Workload& workload);

  std::int64_t run();

  // To routers, of the pool in question:
  std::span<const ReplicaId> candidates() const override { return candidates_; }
  std::int64_t outstanding_requests(ReplicaId id) override { return replica(id).outstanding; }
  std::int64_t outstanding_tokens(ReplicaId id) override;
  std::int64_t known_prefix_tokens(ReplicaId id, const Request& request) override;

 private:
  Replica& replica(ReplicaId id) { return *replicas_[index(id)]; }
  Time next_time() const;
  void step();
  void take();
  void take(Replica& taker);
  void join_where_at_boundary(Replica& joiner);
  void deliver(Replica& to, std::uint64_t key, Events::Payload payload);
  void send_cancellations();
  void change_replicas();
  void fail(Replica& failed);
  void lose_transfers_from(const Replica& failed);
  void lose_transfers_to(const Replica& failed);
  void forget_kv(Handoff& handoff);
  void place(const Arrival& arrival, Pool& pool);
  void place_all();
  void decide();
  void finish_passes(Replica& decider, const Iteration& first);
  void note_end(RequestId id);
  void begin_transfers();
  void release(const Transfer& transfer);
  void break_if_stuck();

  const KvTransferTime& transfer_time_;
  const std::function<ReplicaParts(ReplicaId)>& make_;
  Observer& observer_;
  Clock& clock_;
  Workload& workload_;
  std::vector<std::unique_ptr<Replica>> replicas_;
  Pool entry_, decoders_;
  std::vector<Change> changes_;  // by time
  std::size_t next_change_ = 0;

  Events events_;  // arrivals and cancellations
  std::vector<Event> due_;
  Time now_ = kOrigin;
  bool decided_ = false;  // the decisions of this instant have been made
  std::int64_t live_ = 0;
  std::int64_t passes_ = 0;
  std::vector<ReplicaId> candidates_;
  std::vector<Arrival> departed_, homeless_;  // to be placed at this instant
  std::vector<RequestId> cancellations_;      // whose requests are nowhere yet
  std::vector<RequestId> ended_in_failure_;
  std::vector<KvCopy> pulls_;
  std::vector<Time> channel_free_at_;  // by source
  // By live request:
  std::map<RequestId, ReplicaId> homes_;
  std::map<RequestId, Handoff> on_the_way_;
  std::map<RequestId, Transfer> transfers_;
};

Fleet::Fleet(const FleetSettings& settings, const ServerSettings& server, const ReplicaPorts& ports,
             const FleetRouters& routers, const std::function<ReplicaParts(ReplicaId)>& make,
             const KvTransferTime& transfer_time, Clock& clock, Workload& workload)
    : transfer_time_(transfer_time),
      make_(make),
      observer_(ports.observer),
      clock_(clock),
      workload_(workload),
      channel_free_at_(settings.replicas, kOrigin) {
  const std::size_t prefill = settings.prefill_replicas;
  invariant(prefill == 0 || prefill < settings.replicas, "I15 a request is somewhere",
            "{} of {} replicas prefill", prefill, settings.replicas);
  entry_.router = &routers.arrivals;
  decoders_.router = &routers.handoffs;
  for (std::size_t i = 0; i < settings.replicas; ++i) {
    const auto id = static_cast<ReplicaId>(i);
    const bool decodes_only = prefill > 0 && i >= prefill;
    (decodes_only ? decoders_ : entry_).members.push_back(id);
    replicas_.push_back(std::make_unique<Replica>(id, server, ports, i < prefill));
    replicas_.back()->start(make_(id), kOrigin);
  }
  for (const Outage& outage : settings.outages) {
    changes_.push_back({outage.at, outage.replica, false});
    if (outage.back != kNever) changes_.push_back({outage.back, outage.replica, true});
  }
  // Who comes back at an instant is there for those whom another loses then, and may fail at once.
  std::stable_sort(changes_.begin(), changes_.end(), [](const Change& a, const Change& b) {
    if (a.at != b.at) return a.at < b.at;
    return a.up != b.up ? a.up : a.replica < b.replica;
  });
}

Time Fleet::next_time() const {
  Time next = next_change_ < changes_.size() ? changes_[next_change_].at : kNever;
  for (const auto& each : replicas_) next = std::min(next, each->next_time());
  return next;
}

std::int64_t Fleet::run() {
  workload_.post_until(kOrigin, events_);
  while (live_ > 0 || workload_.expects_more() || events_.has(kArrivalKind)) {
    const Time before = now_;
    now_ = clock_.wait(events_, next_time(), Events::kKinds);
    decided_ = decided_ && now_ == before;
    workload_.post_until(now_, events_);
    step();
    break_if_stuck();
  }
  while (next_time() <= now_) step();  // what the last ends have set free
  for (const auto& each : replicas_) {
    invariant(!each->is_up() || (each->outstanding == 0 && each->scheduler().holds_nothing()),
              "I15 a request is somewhere", "replica {} still holds something after the last end",
              index(each->id()));
  }
  return passes_;
}

/// One instant, or one more round of what has come of it since.
void Fleet::step() {
  events_.take_due(now_, due_);
  for (const Event& event : due_) {
    const auto* cancellation = std::get_if<Cancellation>(&event.payload);
    if (cancellation != nullptr) cancellations_.push_back(cancellation->request);
  }
  send_cancellations();
  take();
  change_replicas();
  place_all();
  send_cancellations();
  decide();
  begin_transfers();
}

void Fleet::take() {
  for (const auto& each : replicas_) {
    if (each->next_time() <= now_ && !each->has_taken()) take(*each);
  }
}

void Fleet::take(Replica& taker) {
  taker.take(now_);
  for (Handoff& handoff : taker.scheduler().take_departed()) {
    const RequestId id = handoff.id();
    --taker.outstanding;
    transfers_[id] = {handoff.kv.from, handoff.kv.copy};
    homes_[id] = kNowhere;
    const Handoff& kept = on_the_way_[id] = std::move(handoff);
    departed_.push_back({kept.facts.request, &kept});
  }
}

/// Brings its books up to now.
void Fleet::join_where_at_boundary(Replica& joiner) {
  if (joiner.come_to(now_, decided_)) take(joiner);
}

void Fleet::deliver(Replica& to, std::uint64_t key, Events::Payload payload) {
  join_where_at_boundary(to);
  to.post(now_, key, std::move(payload), decided_);
}

std::int64_t Fleet::outstanding_tokens(ReplicaId id) {
  join_where_at_boundary(replica(id));
  return replica(id).outstanding_tokens();
}

std::int64_t Fleet::known_prefix_tokens(ReplicaId id, const Request& request) {
  join_where_at_boundary(replica(id));
  return replica(id).scheduler().known_prefix_tokens(request);
}

/// One that finds its request gone is nobody's business.
void Fleet::send_cancellations() {
  for (const RequestId id : std::exchange(cancellations_, {})) {
    const auto home = homes_.find(id);
    const bool comes_now = std::any_of(due_.begin(), due_.end(), [&](const Event& event) {
      return event.kind() == kArrivalKind && event.key == index(id);
    });
    if (home == homes_.end() && !comes_now) continue;
    if (home == homes_.end() || home->second == kNowhere) {
      cancellations_.push_back(id);
    } else {
      deliver(replica(home->second), index(id), Cancellation{id});
    }
  }
}

void Fleet::change_replicas() {
  for (; next_change_ < changes_.size() && changes_[next_change_].at <= now_; ++next_change_) {
    const Change& change = changes_[next_change_];
    if (change.up) {
      replica(change.replica).start(make_(change.replica), now_);
      channel_free_at_[index(change.replica)] = now_;
      for (Arrival& arrival : std::exchange(entry_.waiting, {})) homeless_.push_back(arrival);
      for (Arrival& arrival : std::exchange(decoders_.waiting, {})) departed_.push_back(arrival);
    } else {
      fail(replica(change.replica));
    }
  }
}

void Fleet::fail(Replica& failed) {
  join_where_at_boundary(failed);
  Wreck wreck = failed.fail(now_);
  for (const RequestId id : wreck.ended) {
    homes_.erase(id);
    ended_in_failure_.push_back(id);
  }
  for (Handoff& handoff : wreck.live) {
    const RequestId id = handoff.id();
    homes_[id] = kNowhere;
    const Handoff& kept = on_the_way_[id] = std::move(handoff);
    homeless_.push_back({kept.facts.request, &kept});
  }
  for (const Event& event : wreck.untaken) {
    if (const auto* arrival = std::get_if<Arrival>(&event.payload)) {
      homes_[arrival->request.id] = kNowhere;
      homeless_.push_back(*arrival);
    } else if (const auto* cancellation = std::get_if<Cancellation>(&event.payload)) {
      cancellations_.push_back(cancellation->request);
    }
  }
  lose_transfers_to(failed);
  lose_transfers_from(failed);
}

/// The sources keep nothing for requests that were to decode there.
void Fleet::lose_transfers_to(const Replica& failed) {
  for (auto next = transfers_.begin(); next != transfers_.end();) {
    const auto [id, transfer] = *next;
    if (transfer.to != failed.id()) {
      ++next;
      continue;
    }
    next = transfers_.erase(next);
    release(transfer);
    const auto waiting = on_the_way_.find(id);
    if (waiting != on_the_way_.end()) forget_kv(waiting->second);
  }
}

/// It will have to be computed again.
void Fleet::forget_kv(Handoff& handoff) {
  if (handoff.kv.tables.empty()) return;
  handoff.kv = {};
  handoff.facts.phases[static_cast<std::size_t>(handoff.phase)] += now_ - handoff.phase_since;
  handoff.phase = Phase::preempted;
  handoff.phase_since = now_;
  observer_.entered(handoff.id(), Phase::preempted, now_);
}

/// Their requests compute again what it held.
void Fleet::lose_transfers_from(const Replica& failed) {
  for (auto& [id, transfer] : transfers_) {
    if (transfer.from != failed.id() || transfer.end <= now_ || transfer.lost) continue;
    transfer.lost = true;
    if (!transfer.begun) continue;
    Replica& receiver = replica(transfer.to);
    receiver.withdraw(transfer.pull);
    deliver(receiver, index(transfer.pull), CopyEnd{transfer.pull, true});
  }
  for (Arrival& arrival : std::exchange(decoders_.waiting, {})) departed_.push_back(arrival);
}

/// The source keeps it no longer.
void Fleet::release(const Transfer& transfer) {
  if (transfer.lost || transfer.end <= now_) return;
  Replica& source = replica(transfer.from);
  if (transfer.begun) source.withdraw(transfer.release);
  deliver(source, index(transfer.release), CopyEnd{transfer.release});
}

void Fleet::place_all() {
  for (const Arrival& arrival : std::exchange(departed_, {})) {
    const RequestId id = arrival.request.id;
    const auto transfer = transfers_.find(id);
    if (!transfer->second.lost) {
      place(arrival, decoders_);
      continue;
    }
    forget_kv(on_the_way_.at(id));
    transfers_.erase(transfer);
    homeless_.push_back(arrival);
  }
  for (const Arrival& arrival : std::exchange(homeless_, {})) place(arrival, entry_);
  for (const Event& event : due_) {
    const auto* arrival = std::get_if<Arrival>(&event.payload);
    if (arrival == nullptr) continue;
    ++live_;
    place(*arrival, entry_);
  }
}

void Fleet::place(const Arrival& arrival, Pool& pool) {
  const RequestId id = arrival.request.id;
  candidates_.clear();
  for (const ReplicaId member : pool.members) {
    if (replica(member).is_up()) candidates_.push_back(member);
  }
  homes_[id] = kNowhere;
  if (candidates_.empty()) {
    pool.waiting.push_back(arrival);
    return;
  }
  const ReplicaId chosen = pool.router->choose(arrival.request, *this);
  invariant(std::binary_search(candidates_.begin(), candidates_.end(), chosen),
            "I15 a request is somewhere",
            "request {} was sent to replica {}, which is no candidate", index(id), index(chosen));
  homes_[id] = chosen;
  ++replica(chosen).outstanding;
  if (&pool == &decoders_) transfers_.at(id).to = chosen;
  deliver(replica(chosen), index(id), arrival);
}

void Fleet::decide() {
  std::vector<std::pair<Replica*, const Iteration*>> decisions;
  for (const auto& each : replicas_) {
    if (!each->has_taken() && each->next_time() > now_) continue;
    decisions.emplace_back(each.get(), &each->decide(now_));
  }
  decided_ = true;
  for (const auto& [decider, decision] : decisions) finish_passes(*decider, *decision);
  for (const RequestId id : std::exchange(ended_in_failure_, {})) note_end(id);
}

void Fleet::finish_passes(Replica& decider, const Iteration& first) {
  for (const Iteration* decision = &first;; decision = &decider.decide_more(now_)) {
    ++passes_;
    observer_.passed(now_, *decision);
    for (const RequestId id : decider.scheduler().ended()) {
      --decider.outstanding;
      note_end(id);
    }
    if (decision->empty()) break;
    for (const KvCopy& copy : decision->copies) {
      if (copy.direction == CopyDirection::from_replica) pulls_.push_back(copy);
    }
    decider.begin(*decision, now_);
    if (!decider.scheduler().can_decide_more()) break;
  }
  for (const Event& event : decider.taken()) {
    const auto* arrival = std::get_if<Arrival>(&event.payload);
    if (arrival != nullptr && arrival->handoff != nullptr) on_the_way_.erase(arrival->request.id);
  }
  decider.end_passes(now_);
}

void Fleet::note_end(RequestId id) {
  --live_;
  homes_.erase(id);
  if (const auto transfer = transfers_.find(id); transfer != transfers_.end()) {
    release(transfer->second);
    transfers_.erase(transfer);
  }
  workload_.on_end(id, now_, events_);
}

/// Lets those whose turn has come fetch their KV.
void Fleet::begin_transfers() {
  for (const KvCopy& copy : std::exchange(pulls_, {})) {
    Transfer& transfer = transfers_.at(copy.request);
    Replica& receiver = replica(transfer.to);
    transfer.begun = true;
    transfer.pull = copy.id;
    if (transfer.lost) {
      deliver(receiver, index(copy.id), CopyEnd{copy.id, true});
      continue;
    }
    Time& free_at = channel_free_at_[index(transfer.from)];
    free_at = std::max(now_, free_at) +
              transfer_time_(static_cast<std::int64_t>(copy.device_blocks.size()), transfer.from,
                             transfer.to);
    transfer.end = free_at;
    const bool passed = transfer.end == now_;
    receiver.post(transfer.end, index(copy.id), CopyEnd{copy.id}, passed);
    Replica& source = replica(transfer.from);
    source.post(transfer.end, index(transfer.release), CopyEnd{transfer.release}, passed);
  }
}

void Fleet::break_if_stuck() {
  const bool goes_on =
      live_ == 0 || next_time() != kNever || !events_.empty() || workload_.expects_more();
  if (goes_on) return;
  std::string text = "nothing runs and nothing will";
  for (const auto& each : replicas_) {
    text += fmt::format("; replica {}: {}", index(each->id()),
                        each->is_up() ? each->scheduler().explain() : "down");
  }
  break_invariant("I10 a run goes on while there is work", text);
}

}  // namespace

std::int64_t serve_fleet(const FleetSettings& settings, const ServerSettings& server,
                         const ReplicaPorts& ports, const FleetRouters& routers,
                         const std::function<ReplicaParts(ReplicaId)>& make,
                         const KvTransferTime& transfer_time, Clock& clock, Workload& workload) {
  Fleet fleet(settings, server, ports, routers, make, transfer_time, clock, workload);
  return fleet.run();
}

}  // namespace tokenyard
