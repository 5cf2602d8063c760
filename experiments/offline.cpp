#include "experiments/offline.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "engine/calibration.hpp"
#include "engine/engine_executor.hpp"
#include "experiments/compose.hpp"
#include "models/linear_cost_model.hpp"
#include "sim/kernel/clock.hpp"
#include "sim/kernel/input_error.hpp"
#include "sim/kernel/rng.hpp"
#include "sim/server/serve.hpp"

namespace tokenyard {

namespace {

constexpr std::int64_t kBlockTokens = 16;

/// All prompts at the origin.
class Prompts final : public Workload, public RequestSource {
 public:
  Prompts(std::vector<OfflineResult>& results, const SamplingParams& params, std::uint64_t seed)
      : results_(results), params_(params), seed_(seed) {}

  void post_until(Time, Events& events) override {
    for (; next_ < results_.size(); ++next_) {
      Request request;
      request.id = static_cast<RequestId>(next_);
      request.prompt_tokens = static_cast<std::int64_t>(results_[next_].prompt_tokens.size());
      request.max_tokens = params_.max_tokens;
      request.width = params_.width();
      request.beam_search = params_.beam_search();
      events.post(kOrigin, next_, Arrival{request});
    }
  }
  bool expects_more() const override { return next_ < results_.size(); }

  EngineRequest request(RequestId id) override {
    // As if it were the only one: what it says does not depend on the others.
    return {results_[index(id)].prompt_tokens, params_, seed_, {}};
  }

 private:
  std::vector<OfflineResult>& results_;
  const SamplingParams& params_;
  std::uint64_t seed_;
  std::size_t next_ = 0;
};

/// Takes what was said when it is complete.
class Collector final : public Observer {
 public:
  Collector(Engine& engine, std::vector<OfflineResult>& results)
      : engine_(engine), results_(results) {}

  bool watches_iterations() const override { return false; }
  void ended(const RequestFacts& facts) override {
    OfflineResult& result = results_[index(facts.request.id)];
    const Generation* const said = engine_.generation(facts.request.id);
    if (said == nullptr) {
      throw InputError(
          fmt::format("the prompt has {} tokens: {}", facts.request.prompt_tokens, facts.reason));
    }
    result.outputs = said->outputs();
    engine_.forget(facts.request.id);
  }

 private:
  Engine& engine_;
  std::vector<OfflineResult>& results_;
};

ServerSettings settings_for(EngineModel& model, std::size_t prompts, std::int64_t width) {
  ServerSettings settings;
  const std::int64_t context = model.config().context;
  const std::int64_t block_bytes = model.transformer().kv_shape(kBlockTokens).block_bytes();
  const std::int64_t one = (context + kBlockTokens - 1) / kBlockTokens * width + width;
  constexpr std::int64_t kPoolBytesMost = std::int64_t{4} << 30;
  const std::int64_t fit = std::max(one, kPoolBytesMost / block_bytes);
  settings.kv.block_size = kBlockTokens;
  settings.kv.device_blocks = std::min(one * static_cast<std::int64_t>(prompts), fit);
  settings.limits.max_model_len = context;
  settings.limits.max_num_seqs = std::max<std::int64_t>(settings.limits.max_num_seqs, width);
  return settings;
}

}  // namespace

std::vector<OfflineResult> generate_texts(EngineModel& model,
                                          const std::vector<std::string>& prompts,
                                          const SamplingParams& params, std::uint64_t seed) {
  const Tokenizer* const tokenizer = model.tokenizer();
  if (tokenizer == nullptr) throw InputError("the weights have no tokenizer beside them");
  params.validate(model.config().vocabulary);
  std::vector<OfflineResult> results;
  for (const std::string& prompt : prompts) {
    results.push_back({prompt, tokenizer->encode(prompt), {}});
    if (results.back().prompt_tokens.empty()) {
      throw InputError("an empty prompt needs a begin token, and this model has none");
    }
  }
  const ServerSettings settings = settings_for(model, prompts.size(), params.width());
  KvCache cache(model.transformer().kv_shape(kBlockTokens), settings.kv.device_blocks, 0);
  Prompts workload(results, params, seed);
  Engine engine(model.transformer(), cache, workload, tokenizer, model.workers());
  EngineExecutor executor(engine, nullptr);
  Collector collector(engine, results);
  const auto policy = compose_policy("fcfs");
  const LinearCostModel unused(LinearCoefficients{});  // first come, first served asks no costs
  SimClock clock;
  Scheduler scheduler(settings, {*policy, unused, nullptr, nullptr, collector}, executor.depth());
  serve(scheduler, clock, workload, executor, collector);
  return results;
}

}  // namespace tokenyard
