#include "tests/support/simulation.hpp"

#include "experiments/compose.hpp"
#include "models/model_executor.hpp"
#include "sim/kernel/clock.hpp"
#include "sim/kernel/invariant.hpp"
#include "sim/server/serve.hpp"

namespace tokenyard::test {

std::vector<BlockHash> block_hashes(TenantId tenant, const std::vector<std::uint64_t>& ids,
                                    std::int64_t block_size) {
  std::vector<BlockHash> hashes;
  BlockHash so_far = chain_of(tenant);
  const auto size = static_cast<std::size_t>(block_size);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    so_far = chain(so_far, ids[i]);
    if ((i + 1) % size == 0) hashes.push_back(so_far);
  }
  return hashes;
}

JobWorkload::JobWorkload(std::vector<Job> jobs, std::int64_t block_size) : jobs_(std::move(jobs)) {
  for (const Job& job : jobs_) {
    hashes_.push_back(block_hashes(job.tenant, job.prompt_ids, block_size));
  }
}

void JobWorkload::post_until(Time now, Events& events) {
  bool beyond = false;
  while (next_ < jobs_.size() && !beyond) {
    const Job& job = jobs_[next_];
    beyond = job.arrival > now;
    Request request;
    request.id = RequestId{static_cast<std::uint32_t>(next_)};
    request.arrival = job.arrival;
    request.prompt_tokens = job.prompt_tokens;
    request.max_tokens = job.max_tokens;
    request.tenant = job.tenant;
    request.width = job.width();
    request.beam_search = job.sample_tokens.empty() && job.beams > 1;
    request.prompt_hashes = hashes_[next_];
    events.post(job.arrival, next_, Arrival{request});
    if (job.cancel_after) {
      events.post(job.arrival + *job.cancel_after, next_, Cancellation{request.id});
    }
    ++next_;
  }
}

double Outcome::mean_jct_s() const {
  double sum = 0;
  for (std::size_t i = 0; i < requests.size(); ++i) sum += to_seconds(jct(i));
  return sum / static_cast<double>(requests.size());
}

std::unique_ptr<Policy> make_policy(const std::string& text) {
  constexpr std::string_view kGuarded = " guarded by ";
  const auto at = text.find(kGuarded);
  if (at == std::string::npos) return compose_policy(text);
  return compose_policy(text.substr(0, at), text.substr(at + kGuarded.size()));
}

ServerSettings ample() {
  ServerSettings settings;
  settings.kv.device_blocks = 4'000'000;
  return settings;
}

namespace {

/// Collects what a run does; audits the scheduler's blocks on the way.
class Collector final : public Observer {
 public:
  Collector(std::size_t requests, Observer* also) : also_(also) {
    outcome.requests.resize(requests);
  }

  void fed(Time now, std::span<const Event> due) override {
    if (also_ != nullptr) also_->fed(now, due);
  }
  void passed(Time now, const Iteration& decision) override {
    if (also_ != nullptr) also_->passed(now, decision);
  }
  void decided(Time now, const Iteration& iteration, const IterationFacts& facts) override {
    Decision decision;
    decision.begun = now;
    decision.load = iteration.load;
    decision.kv_blocks_used = facts.kv_blocks_used;
    decision.waiting = facts.waiting;
    decision.facts = facts;
    decision.block_copies = iteration.block_copies;
    for (const Slot& slot : iteration.slots) {
      decision.requests.push_back(index(slot.request));
      decision.new_tokens.push_back(slot.new_tokens);
      decision.sequences.push_back(slot.sequence);
      decision.tables.emplace_back(slot.blocks.begin(), slot.blocks.end());
    }
    outcome.decisions.push_back(std::move(decision));
    if (audited != nullptr) audited->audit();
    if (also_ != nullptr) also_->decided(now, iteration, facts);
  }
  void completed(Time now, const Iteration& iteration) override {
    if (also_ != nullptr) also_->completed(now, iteration);
  }
  void staged(const Iteration& iteration, std::size_t stage, Time begun, Time ended) override {
    if (also_ != nullptr) also_->staged(iteration, stage, begun, ended);
  }
  void token_gaps(Time now, Duration gap, std::int64_t count) override {
    outcome.token_gaps.emplace_back(gap, count);
    if (also_ != nullptr) also_->token_gaps(now, gap, count);
  }
  void entered(RequestId request, Phase phase, Time now) override {
    if (also_ != nullptr) also_->entered(request, phase, now);
  }
  bool watches_slots() const override { return also_ == nullptr || also_->watches_slots(); }
  bool reads_tables() const override { return also_ == nullptr || also_->reads_tables(); }
  void ended(const RequestFacts& facts) override {
    outcome.requests.at(index(facts.request.id)) = facts;
    outcome.last_end = std::max(outcome.last_end, facts.ended);
    ++ends;
    if (also_ != nullptr) also_->ended(facts);
  }

  Outcome outcome;
  std::size_t ends = 0;
  Scheduler* audited = nullptr;

 private:
  Observer* also_;
};

}  // namespace

Outcome simulate(const std::vector<Job>& jobs, Policy& policy, const CostModel& cost,
                 const ServerSettings& settings, bool audit, Observer* observer,
                 const MakeExecutor& make_executor) {
  JobWorkload workload(jobs, settings.kv.block_size);
  const TruePredictor predictor(workload);
  Collector collector(jobs.size(), observer);
  const auto executor = make_executor ? make_executor(cost, workload)
                                      : std::make_unique<ModelExecutor>(cost, workload);
  SimClock clock;
  Scheduler scheduler(settings, {policy, cost, &predictor, &workload, collector},
                      executor->depth(), {.reads_tables = executor->reads_tables()});
  if (audit) collector.audited = &scheduler;
  serve(scheduler, clock, workload, *executor, collector);
  if (audit) {
    // Nobody is live and nothing moves: a block that is still in use has been lost.
    invariant(!scheduler.anything_in_flight(), "I10 a run goes on while there is work",
              "something is under way after the last end");
    scheduler.audit();
  }
  invariant(collector.ends == jobs.size(), "I4 a request lives and ends once",
            "{} of {} requests ended", collector.ends, jobs.size());
  return std::move(collector.outcome);
}

Outcome simulate(const std::vector<Job>& jobs, const std::string& policy, const CostModel& cost,
                 const ServerSettings& settings, bool audit, Observer* observer,
                 const MakeExecutor& make_executor) {
  const auto made = make_policy(policy);
  return simulate(jobs, *made, cost, settings, audit, observer, make_executor);
}

}  // namespace tokenyard::test
