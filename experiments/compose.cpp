#include "experiments/compose.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "experiments/compose_engine.hpp"
#include "experiments/compose_fleet.hpp"
#include "experiments/data_files.hpp"
#include "experiments/run_json.hpp"
#include "experiments/trace_options.hpp"
#include "models/cost_model_file.hpp"
#include "models/device_spec.hpp"
#include "models/kv_pool_size.hpp"
#include "models/length_predictors.hpp"
#include "models/model_executor.hpp"
#include "models/model_spec.hpp"
#include "models/parallel_roofline.hpp"
#include "models/pipeline_executor.hpp"
#include "models/table_cost_model.hpp"
#include "models/topology.hpp"
#include "policies/catalogue.hpp"
#include "policies/starvation_guard.hpp"
#include "sim/kernel/clock.hpp"
#include "sim/kernel/input_error.hpp"
#include "sim/kernel/text.hpp"
#include "sim/server/serve.hpp"
#include "traces/generate.hpp"
#include "traces/parents.hpp"
#include "traces/reader.hpp"
#include "traces/rearrange.hpp"
#include "traces/replay.hpp"
#include "traces/row_order.hpp"
#include "traces/transform.hpp"
#include "traces/truth.hpp"

namespace tokenyard {

std::unique_ptr<Policy> compose_policy(const std::string& text, const std::string& guard) {
  const auto colon = text.find(':');
  const std::string name = text.substr(0, colon);
  std::vector<std::string> names;
  for (const PolicyEntry* entry : policy_catalogue()) {
    names.emplace_back(entry->name);
    if (name != entry->name) continue;
    Parameters parameters = Parameters::parse(
        "policy " + name, colon == std::string::npos ? "" : text.substr(colon + 1));
    auto policy = entry->make(parameters);
    parameters.refuse_unread();
    return guard.empty() ? std::move(policy) : guard_against_starvation(std::move(policy), guard);
  }
  throw InputError(fmt::format("unknown policy '{}'{}; see 'tokenyard list policies'",
                               printable(name), suggestion(name, names)));
}

Parallelism parallelism_of(const Settings& settings) {
  return {static_cast<int>(settings.tp), static_cast<int>(settings.pp)};
}

std::unique_ptr<CostModel> compose_cost(const Settings& settings, const JsonObject* file) {
  const auto data = data_directory() / "models";
  const std::int64_t block_size = settings.server.kv.block_size;
  if (file != nullptr) return cost_model_from_json(*file, data, block_size);
  if (settings.model_name.empty() || settings.device_name.empty()) {
    throw InputError("what does an iteration cost? Give --model and --device, or --cost");
  }
  const Parallelism parallelism = parallelism_of(settings);
  const DeviceSpec device = load_device_spec(data, settings.device_name);
  const auto links = settings.topology.empty()
                         ? links_of_device(device, parallelism)
                         : links_of_topology(load_topology(data, settings.topology), parallelism);
  return make_roofline(load_model_spec(data, settings.model_name), device, parallelism, links,
                       block_size);
}

void refuse_contradictions(const Settings& settings) {
  const KvSettings& kv = settings.server.kv;
  if (kv.proactive_swap && kv.evict == Evict::recompute) {
    throw InputError("--proactive-swap needs --evict swap or cheaper");
  }
  if (settings.find_warmup && settings.executor == "engine") {
    throw InputError("--warmup auto runs everything twice; with --executor engine give seconds");
  }
  if (!settings.cost_file.empty() && (settings.pp > 1 || !settings.topology.empty())) {
    throw InputError(
        "--pp and --topology go with --model and --device; a --cost file says its own");
  }
  if (settings.executor == "engine" && (settings.pp > 1 || !settings.topology.empty())) {
    throw InputError("--pp and --topology go with --executor model: the engine is one device");
  }
  refuse_bad_fleet(settings);
  if (settings.server.limits.static_batching && kv.evict != Evict::recompute) {
    throw InputError("--static-batching goes with --evict recompute");
  }
}

namespace {

/// The engine of `other`, where these settings want the same.
std::shared_ptr<EngineModel> same_engine(const Settings& settings, const Machine* other) {
  if (other == nullptr) return nullptr;
  const Settings& theirs = other->settings;
  const bool same = settings.weights == theirs.weights && settings.dtype == theirs.dtype &&
                    settings.kv_cache_dtype == theirs.kv_cache_dtype &&
                    settings.threads == theirs.threads;
  return same ? other->engine : nullptr;
}

}  // namespace

Machine compose_machine(Settings settings, const Machine* other) {
  Machine machine;
  const bool has_engine = settings.executor == "engine";
  if (!has_engine && !settings.weights.empty()) {
    throw InputError("--weights goes with --executor engine");
  }
  if (!has_engine && settings.clock == "wall") {
    throw InputError("--clock wall needs --executor engine");
  }
  const auto data = data_directory() / "models";
  const bool has_model = !settings.model_name.empty();
  const bool has_device = !settings.device_name.empty();
  std::optional<ModelSpec> model;
  if (has_model) model = load_model_spec(data, settings.model_name);
  if (!settings.cost_file.empty()) {
    const JsonObject file = JsonFile::read(settings.cost_file);
    machine.cost = compose_cost(settings, &file);
    machine.cost_json = file.raw();
  } else if (!has_engine || (has_model && has_device)) {
    machine.cost = compose_cost(settings, nullptr);
  }

  auto& limits = settings.server.limits;
  auto& kv = settings.server.kv;
  refuse_contradictions(settings);
  if (has_engine) {
    auto loaded = same_engine(settings, other);
    machine.settings = std::move(settings);
    compose_engine(machine, std::move(loaded));
    return machine;
  }
  if (model && limits.max_model_len == 0) {
    limits.max_model_len = model->context;
  } else if (model && limits.max_model_len > model->context) {
    machine.notes.push_back(fmt::format("--max-model-len {} goes beyond the {} tokens of {}",
                                        limits.max_model_len, model->context, model->name));
  }
  if (kv.device_blocks == 0) {
    if (!has_model || !has_device) {
      throw InputError("how much KV memory is there? Give --kv-blocks, or --model and --device");
    }
    Parallelism parallelism = parallelism_of(settings);
    if (const auto* pipeline = dynamic_cast<const PipelineCostModel*>(machine.cost.get())) {
      parallelism.pipeline = static_cast<int>(pipeline->stages());
    }
    kv.device_blocks = kv_pool_blocks(*model, load_device_spec(data, settings.device_name),
                                      parallelism, kv.block_size);
  }
  if (kv.evict != Evict::recompute && settings.derive_host_blocks) {
    if (!has_model || !has_device) {
      throw InputError(
          "how much host memory is there? Give --host-blocks, or --model and --device");
    }
    kv.host_blocks =
        host_pool_blocks(*model, load_device_spec(data, settings.device_name), kv.block_size);
  }
  machine.settings = std::move(settings);
  compose_transfer(machine);  // what it needs must be there before anything runs
  return machine;
}

std::vector<CostFloor> compose_floors(const Machine& machine) {
  if (is_fleet(machine.settings)) return {};  // they are those of one server
  if (machine.measures || machine.settings.clock == "wall") return {};
  const auto* floored = dynamic_cast<const FlooredCost*>(machine.cost.get());
  return floored == nullptr ? std::vector<CostFloor>() : floored->floors();
}

std::string left_measured_range(const Machine& machine) {
  const auto left = [](const CostModel* cost) {
    const auto* table = dynamic_cast<const TableCostModel*>(cost);
    return table == nullptr ? std::string() : table->left_range();
  };
  const auto* pipeline = dynamic_cast<const PipelineCostModel*>(machine.cost.get());
  if (pipeline == nullptr) {
    std::string said = left(machine.cost.get());
    return said.empty() ? left(machine.advice) : said;
  }
  for (std::size_t stage = 0; stage < pipeline->stages(); ++stage) {
    if (std::string said = left(&pipeline->stage(stage)); !said.empty()) return said;
  }
  return left(machine.advice);
}

RunTrace::RunTrace(Trace trace)
    : whole_(std::make_unique<const Trace>(std::move(trace))), survey_(survey_of(*whole_)) {
  if (!whole_->parents.empty()) programs_ = programs_of(*whole_);
}

std::optional<std::uint32_t> RunTrace::program(const TraceView& view, RequestId request) const {
  if (!programs_.empty()) return programs_[index(request)];
  const TraceView::Place place = view.place(index(request));
  const TraceOptions* const options = place.table().options(place.at);
  if (options == nullptr || options->session == 0) return std::nullopt;
  return options->session;
}

std::unique_ptr<TraceView> RunTrace::view() const {
  if (whole_) return std::make_unique<TraceView>(*whole_);
  return std::make_unique<TraceStream>(path_, options_, survey_);
}

namespace {

/// What can be read twice and is worth it. (A pipe can be read once.)
bool is_large_file(const std::string& path, std::uintmax_t least_bytes) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return false;
  const std::uintmax_t bytes = std::filesystem::file_size(path, error);
  return !error && bytes >= least_bytes;
}

}  // namespace

namespace {

void tell_of_sorting(const std::string& path, const ReadOptions& options,
                     const TraceSurvey& survey) {
  if (survey.order != RowOrder::scattered) return;
  constexpr double kMegabyte = 1e6;
  fmt::print(stderr,
             "{}: the arrivals are not sorted within {} rows: sorted in a temporary file of "
             "{:.1f} MB\n",
             printable(path), options.window,
             static_cast<double>(survey.runs->bytes()) / kMegabyte);
}

/// The file, to be read along with runs; nothing where it must be read whole.
std::optional<RunTrace> streamed_trace(const std::string& path, ReadOptions options,
                                       const Settings& settings) {
  std::optional<TraceSurvey> survey = survey_trace(path, options);
  if (!survey) return std::nullopt;
  tell_of_sorting(path, options, *survey);
  if (settings.request_rate) {
    survey->stretch = stretch_to_rate(trace_name(path), survey->requests, survey->first_arrival,
                                      survey->last_arrival, *settings.request_rate);
  }
  return RunTrace(path, std::move(options), std::move(*survey));
}

}  // namespace

RunTrace compose_trace(const TraceSource& source, const Settings& settings, std::uint64_t seed) {
  const std::string& path = source.path;
  Trace trace;
  if (is_workload_plan(path)) {
    trace = generate(read_workload_plan(path), seed);
    if (settings.limit) limit(trace, *settings.limit);
  } else {
    ReadOptions options = trace_options(source.format);
    options.zero = parse_zero_tokens(source.zero);
    options.trust_ids = source.trust_ids;
    options.limit = settings.limit;
    if (!settings.resample_block_s && is_large_file(path, source.stream_bytes)) {
      if (auto streamed = streamed_trace(path, options, settings)) return std::move(*streamed);
    }
    trace = read_trace(path, options);
    if (settings.resample_block_s) trace = resample(trace, *settings.resample_block_s, seed);
  }
  if (settings.request_rate) scale_to_rate(trace, *settings.request_rate);
  return RunTrace(std::move(trace));
}

namespace {

double mean_output_tokens(const RunTrace& trace) {
  return static_cast<double>(trace.survey().output_tokens) /
         static_cast<double>(trace.survey().requests);
}

}  // namespace

std::unique_ptr<LengthPredictor> compose_predictor(const Policy& policy, const Settings& settings,
                                                   const OutputOracle& truth,
                                                   double mean_output_tokens, std::uint64_t seed) {
  auto predictor = make_predictor(settings.predictor, truth, mean_output_tokens, seed);
  return policy.needs().length_predictor ? std::move(predictor) : nullptr;
}

bool is_clairvoyant(const std::string& policy, const Machine& machine) {
  const Reserve reserve = machine.settings.server.kv.reserve;
  if (reserve == Reserve::pow2 || reserve == Reserve::oracle) return true;
  const auto made = compose_policy(policy, machine.settings.guard);
  const Trace none;
  const TraceView no_requests(none);
  const TraceTruth truth(no_requests);  // only asked whether it is the truth
  const auto predictor = compose_predictor(*made, machine.settings, truth, 1, 0);
  return predictor != nullptr && predictor->clairvoyant();
}

namespace {

std::unique_ptr<Executor> compose_executor(const Machine& machine, const OutputOracle& truth,
                                           Observer& observer, std::uint64_t seed) {
  if (const auto* pipeline = dynamic_cast<const PipelineCostModel*>(machine.cost.get())) {
    return std::make_unique<PipelineExecutor>(*pipeline, truth, observer, seed);
  }
  return std::make_unique<ModelExecutor>(*machine.cost, truth, seed);
}

}  // namespace

SimulationCounts run_simulation(const std::string& policy, const Machine& machine,
                                const RunTrace& trace, TraceView& view, std::uint64_t seed,
                                Observer& observer, TokenDigests* digests,
                                std::span<LevelCounts> level_counts) {
  const auto make_policy = [&](ReplicaId replica) {
    auto policy_made = compose_policy(policy, machine.settings.guard);
    if (level_counts.empty()) return policy_made;
    level_counts[index(replica)].clear();
    return watch_levels(std::move(policy_made), level_counts[index(replica)]);
  };
  const auto made = make_policy(ReplicaId{});
  const TraceTruth truth(view);
  const auto predictor =
      compose_predictor(*made, machine.settings, truth, mean_output_tokens(trace), seed);
  const KvSettings& kv = machine.settings.server.kv;
  TraceWorkload workload(view, kv.prefix_caching ? kv.block_size : 0);
  if (is_fleet(machine.settings)) {
    const auto make = [&](ReplicaId replica) {
      return ReplicaParts{make_policy(replica), compose_executor(machine, truth, observer, seed)};
    };
    return {run_fleet(machine, {machine.advising(), predictor.get(), &truth, observer}, make,
                      workload, seed)};
  }
  const ServerPorts ports{*made, machine.advising(), predictor.get(), &truth, observer};
  if (machine.engine != nullptr) {
    TokenDigests unread;
    return run_engine(machine, view, workload, ports, seed, digests ? *digests : unread);
  }
  const std::unique_ptr<Executor> executor = compose_executor(machine, truth, observer, seed);
  SimClock clock;
  Scheduler scheduler(machine.settings.server, ports, executor->depth(),
                      {.reads_tables = executor->reads_tables()});
  return {serve(scheduler, clock, workload, *executor, observer)};
}

std::unique_ptr<FlightRecord> compose_flight_record(const std::string& path, FlightHeader header,
                                                    const Machine& machine, const RunTrace& trace,
                                                    const TraceView& view) {
  header.version = version();
  header.settings = machine.settings;
  if (const auto* pipeline = dynamic_cast<const PipelineCostModel*>(machine.cost.get())) {
    header.depth = static_cast<int>(pipeline->stages());
  }
  header.cost_json = machine.cost_json;
  header.output_tokens_mean = mean_output_tokens(trace);
  if (!trace.streamed()) header.trace_digest = view.digest();
  return std::make_unique<FlightRecord>(path, std::move(header),
                                        std::make_unique<TraceTruth>(view));
}

SoloTimes::SoloTimes(const RunTrace& trace, const CostModel& cost) : cost_(cost) {
  constexpr std::int64_t kLongestContext = 20'000'000;  // bounds the table of sums
  known_ = trace.survey().longest_context <= kLongestContext;
}

Duration SoloTimes::of(std::int64_t prompt_tokens, std::int64_t output_tokens) {
  if (!known_) return Duration{0};
  const std::int64_t last = prompt_tokens + output_tokens - 1;
  for (auto next = static_cast<std::int64_t>(decode_until_.size()); next <= last; ++next) {
    decode_until_.push_back(decode_until_.back() +
                            cost_.iteration(IterationLoad::one_decode(next)));
  }
  return cost_.iteration(IterationLoad::one_prefill(prompt_tokens, prompt_tokens)) +
         decode_until_[static_cast<std::size_t>(last)] -
         decode_until_[static_cast<std::size_t>(prompt_tokens)];
}

}  // namespace tokenyard
