#include "tests/parity/engine_runs.hpp"

#include <bit>

#include "engine/engine_executor.hpp"
#include "engine/live_executor.hpp"
#include "experiments/compose.hpp"
#include "models/linear_cost_model.hpp"
#include "sim/kernel/clock.hpp"
#include "sim/kernel/rng.hpp"
#include "sim/server/serve.hpp"

namespace tokenyard::test {

namespace {

/// Posts the jobs and tells the engine of them; knows their lengths for predictors.
class Jobs final : public Workload, public RequestSource, public OutputOracle {
 public:
  /// With prefix caching the server is told what stands in each full block of a prompt.
  Jobs(const std::vector<EngineJob>& jobs, const KvSettings& kv) : jobs_(jobs) {
    for (const EngineJob& job : jobs) {
      std::vector<BlockHash>& hashes = hashes_.emplace_back();
      BlockHash last = chain_of(TenantId{});
      for (std::size_t i = 0; kv.prefix_caching && i < job.request.prompt.size(); ++i) {
        last = chain(last, static_cast<std::uint64_t>(job.request.prompt[i]));
        if ((i + 1) % static_cast<std::size_t>(kv.block_size) == 0) hashes.push_back(last);
      }
    }
  }

  void post_until(Time, Events& events) override {
    for (; next_ < jobs_.size(); ++next_) {
      const EngineRequest& from = jobs_[next_].request;
      Request request;
      request.id = static_cast<RequestId>(next_);
      request.arrival = kOrigin + std::chrono::microseconds(jobs_[next_].arrival_us);
      request.prompt_tokens = static_cast<std::int64_t>(from.prompt.size());
      request.prompt_hashes = hashes_[next_];
      request.width = from.params.width();
      request.beam_search = from.params.beam_search();
      events.post(request.arrival, next_, Arrival{request});
    }
  }
  bool expects_more() const override { return next_ < jobs_.size(); }
  EngineRequest request(RequestId id) override { return jobs_[index(id)].request; }
  std::int64_t output_tokens(RequestId id) const override {
    return jobs_[index(id)].request.forced_tokens.front();
  }

 private:
  const std::vector<EngineJob>& jobs_;
  std::vector<std::vector<BlockHash>> hashes_;  // by job
  std::size_t next_ = 0;
};

class Truth final : public LengthPredictor {
 public:
  explicit Truth(const OutputOracle& oracle) : oracle_(oracle) {}
  double output_tokens_mean(const RequestView& request) const override {
    return static_cast<double>(oracle_.output_tokens(request.id));
  }
  bool clairvoyant() const override { return true; }

 private:
  const OutputOracle& oracle_;
};

class Logits final : public LogitWatcher {
 public:
  void row(RequestId request, std::int32_t sequence, std::int64_t position,
           std::span<const float> logits) override {
    BlockHash hash{0};
    for (const float value : logits) hash = chain(hash, std::bit_cast<std::uint32_t>(value));
    const std::lock_guard lock(mutex_);
    rows_[index(request)][{sequence, position}] = hash;
  }

  std::uint64_t digest(std::size_t request) {
    BlockHash hash{0};
    for (const auto& [place, row] : rows_[request]) {
      hash = chain(hash, static_cast<std::uint64_t>(row));
    }
    return static_cast<std::uint64_t>(hash);
  }

 private:
  std::mutex mutex_;
  std::map<std::size_t, std::map<std::pair<std::int32_t, std::int64_t>, BlockHash>> rows_;
};

class Keeper final : public Observer {
 public:
  Keeper(Engine& engine, std::vector<EngineOutcome>& outcomes)
      : engine_(engine), outcomes_(outcomes) {}
  void ended(const RequestFacts& facts) override {
    EngineOutcome& outcome = outcomes_[index(facts.request.id)];
    outcome.facts = facts;
    if (const Generation* said = engine_.generation(facts.request.id)) {
      outcome.outputs = said->outputs();
    }
    engine_.forget(facts.request.id);
  }

 private:
  Engine& engine_;
  std::vector<EngineOutcome>& outcomes_;
};

const LinearCostModel& cost() {
  static const LinearCostModel model({.iteration_s = 0.001,
                                      .prefill_token_s = 0.00001,
                                      .decode_sequence_s = 0.00002,
                                      .swap_block_s = 0.0003});
  return model;
}

}  // namespace

bool EngineOutcome::same_as(const EngineOutcome& other) const {
  if (outputs.size() != other.outputs.size() || logits != other.logits) return false;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i].tokens != other.outputs[i].tokens) return false;
  }
  return true;
}

std::vector<EngineJob> engine_jobs(std::size_t count, std::uint64_t seed) {
  std::vector<EngineJob> jobs;
  Rng rng = named_stream(seed, "engine jobs");
  const auto draw = [&](std::int64_t least, std::int64_t most) {
    return least + static_cast<std::int64_t>(rng() % static_cast<std::uint64_t>(most - least + 1));
  };
  for (std::size_t i = 0; i < count; ++i) {
    EngineJob job;
    job.arrival_us = draw(0, 100'000);
    for (std::int64_t left = draw(4, 40); left > 0; --left) {
      job.request.prompt.push_back(static_cast<Token>(draw(0, 511)));
    }
    job.request.seed = rng();
    job.request.params.max_tokens.reset();
    job.request.params.temperature = i % 3 == 0 ? 0.0 : 0.8;
    if (i % 4 == 1) job.request.params.top_k = 20;
    if (i % 4 == 2) job.request.params.top_p = 0.9;
    if (i % 5 == 3) job.request.params.repetition_penalty = 1.2;
    job.request.forced_tokens = {draw(4, 32)};
    jobs.push_back(job);
  }
  std::sort(jobs.begin(), jobs.end(),
            [](const auto& a, const auto& b) { return a.arrival_us < b.arrival_us; });
  return jobs;
}

std::vector<EngineOutcome> serve_on_engine(EngineModel& model, const std::vector<EngineJob>& jobs,
                                           const EngineSetting& setting) {
  const KvSettings& kv = setting.server.kv;
  KvCache cache(model.kv_shape(static_cast<std::int32_t>(kv.block_size)),
                kv.device_blocks, kv.host_blocks);
  Jobs workload(jobs, kv);
  Engine engine(model.transformer(), cache, workload, model.tokenizer(), model.workers());
  Logits logits;
  engine.show_logits(&logits);
  std::vector<EngineOutcome> outcomes(jobs.size());
  Keeper keeper(engine, outcomes);
  const auto policy = compose_policy(setting.policy);
  const Truth truth(workload);
  const LengthPredictor* const predictor = policy->needs().length_predictor ? &truth : nullptr;
  const ServerPorts ports{*policy, cost(), predictor, &workload, keeper};
  if (setting.live) {
    WallClock clock;
    LiveExecutor executor(engine, clock);
    Scheduler scheduler(setting.server, ports, 1);
    serve(scheduler, clock, workload, executor, keeper);
    executor.check();
  } else {
    SimClock clock;
    EngineExecutor executor(engine, &cost());
    Scheduler scheduler(setting.server, ports, 1);
    serve(scheduler, clock, workload, executor, keeper);
    scheduler.audit();
  }
  for (std::size_t i = 0; i < outcomes.size(); ++i) outcomes[i].logits = logits.digest(i);
  return outcomes;
}

std::vector<EngineOutcome> serve_alone(EngineModel& model, const std::vector<EngineJob>& jobs) {
  EngineSetting setting;
  setting.server.limits.max_model_len = model.config().context;
  setting.server.kv.device_blocks = 256;
  std::vector<EngineOutcome> outcomes;
  for (const EngineJob& job : jobs) {
    outcomes.push_back(serve_on_engine(model, {job}, setting).front());
  }
  return outcomes;
}

}  // namespace tokenyard::test
