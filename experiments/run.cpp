#include "experiments/run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <memory>

#include "experiments/bounds/known_bounds.hpp"
#include "experiments/cli/progress.hpp"
#include "experiments/compose.hpp"
#include "experiments/compose_fleet.hpp"
#include "experiments/interrupt.hpp"
#include "experiments/named_system.hpp"
#include "experiments/record/backlog_watch.hpp"
#include "experiments/record/observer_list.hpp"
#include "experiments/record/requests_csv.hpp"
#include "experiments/record/timeline.hpp"
#include "experiments/run_json.hpp"
#include "experiments/steady_state.hpp"
#include "sim/kernel/input_error.hpp"
#include "sim/kernel/invariant.hpp"
#include "sim/kernel/text.hpp"
#include "traces/generate.hpp"

namespace tokenyard {

namespace {

void add_note(std::vector<std::string>& notes, const std::string& note) {
  if (std::find(notes.begin(), notes.end(), note) == notes.end()) notes.push_back(note);
}

/// Each policy under each system (or under none), with everything resolved and checked.
std::vector<RunRow> resolve_rows(const RunPlan& plan, const RunShare& share) {
  std::vector<RunRow> rows;
  const auto add = [&](const std::string& series, const std::string& policy,
                       const std::string& system, const std::vector<GivenSetting>& implied) {
    for (const RunRow& row : rows) {
      if (row.series == series) throw InputError(fmt::format("'{}' is given twice", series));
    }
    Settings settings;
    apply_settings(settings, implied);
    apply_settings(settings, plan.settings);
    compose_policy(policy, settings.guard);  // a bad one must be refused before anything runs
    const Machine* const other = rows.empty() ? share.like : &rows.front().machine;
    rows.push_back({series, policy, system, compose_machine(settings, other)});
    rows.back().machine.advice = share.advice;
  };
  if (plan.systems.empty()) {
    for (const std::string& policy : plan.policies) add(policy, policy, "", {});
  }
  for (const std::string& name : plan.systems) {
    const NamedSystem system = read_named_system(name);
    if (plan.policies.empty()) add(name, system.policy, name, system.settings);
    for (const std::string& policy : plan.policies) {
      const bool varies = plan.systems.size() > 1;
      add(varies ? policy + "@" + name : policy, policy, name, system.settings);
    }
  }
  if (rows.empty()) throw InputError("run: nothing to run; name a policy or a --system");
  return rows;
}

/// Everything that one run leaves in its folder.
struct Output {
  // Null: not written.
  std::unique_ptr<std::ofstream> requests_csv;
  std::unique_ptr<std::ofstream> iterations_csv;
  std::unique_ptr<std::ofstream> timeline_json;
};

std::unique_ptr<std::ofstream> open_file(const std::filesystem::path& file) {
  auto stream = std::make_unique<std::ofstream>(file, std::ios::binary);
  if (!*stream) throw InputError(fmt::format("{}: cannot be written", file.string()));
  return stream;
}

void close_file(std::ofstream* stream, const char* name) {
  if (stream == nullptr) return;
  stream->close();
  if (!*stream) throw InputError(fmt::format("{}: could not be written to the end", name));
}

Output open_output(const RunPlan& plan, const std::filesystem::path& place, const std::string& name,
                   bool requests_csv) {
  Output output;
  if (place.empty() || !(requests_csv || plan.iterations || plan.timeline)) return output;
  const auto folder = place / name;
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    throw InputError(fmt::format("{}: cannot be created: {}", folder.string(), error.message()));
  }
  if (requests_csv) output.requests_csv = open_file(folder / "requests.csv");
  if (plan.iterations) output.iterations_csv = open_file(folder / "iterations.csv");
  if (plan.timeline) output.timeline_json = open_file(folder / "timeline.json");
  return output;
}

/// "12 of 400 requests rejected: prompt and output exceed the context (12)"
void note_rejections(const std::string& label, const Recorder& recorder,
                     std::vector<std::string>& notes) {
  std::int64_t rejected = 0;
  std::string reasons;
  for (const auto& [reason, count] : recorder.rejections()) {
    rejected += count;
    reasons += fmt::format("{}{} ({})", reasons.empty() ? "" : ", ", reason, count);
  }
  if (rejected == 0) return;
  add_note(notes, fmt::format("{}: {} of {} requests rejected: {}", label, rejected,
                              recorder.ended_requests(), reasons));
}

/// Tells a trace that is read along which requests are written and done with.
class Forgetter final : public Observer {
 public:
  Forgetter(TraceView& trace, const Recorder& recorder) : trace_(trace), recorder_(recorder) {}

  bool watches_iterations() const override { return false; }
  void ended(const RequestFacts&) override { trace_.forget_before(recorder_.all_ended_before()); }

 private:
  TraceView& trace_;
  const Recorder& recorder_;
};

/// Says what the mean JCT cannot fall below.
void add_bound(const RunShare& share, FinishedRequests& finished, const Machine& machine,
               const TraceView& view, Summary& summary, std::vector<std::string>& notes) {
  if (const Trace* const whole = view.whole(); whole != nullptr && !whole->parents.empty()) {
    add_note(notes,
             "no lower bound is given: requests wait for others, so that a schedule decides "
             "when they come");
    return;
  }
  const auto bound =
      share.bounds->of(finished.take(), machine.settings.server, compose_floors(machine));
  if (!bound) {
    add_note(notes, fmt::format("{}: no lower bound is known", summary.key.label));
    return;
  }
  summary.lower_bound_mean_jct_s = bound->mean_s();
  if (!share.bound_notes) return;
  // Of each seed's requests once, since all policies finish the same.
  add_note(notes, fmt::format("no schedule of these {} requests has a mean JCT below {:.6g} s ({})",
                              bound->requests, bound->mean_s(), name_of(bound->from)));
}

std::unique_ptr<FlightRecord> begin_flight_record(const RunPlan& plan, const RunRow& row,
                                                  const SummaryKey& key, const RunTrace& trace,
                                                  const TraceView& view) {
  if (plan.record.empty()) return nullptr;
  FlightHeader header;
  header.policy = key.policy;
  header.system = key.system;
  header.seed = key.seed;
  header.clairvoyant = key.clairvoyant;
  header.trace = plan.trace;
  return compose_flight_record(plan.record, std::move(header), row.machine, trace, view);
}

/// The arrival of the request where this share of them ends; kNever for all.
Time arrival_at(const RunTrace& trace, double share) {
  const std::size_t requests = trace.survey().requests;
  const auto number = static_cast<std::size_t>(share * static_cast<double>(requests));
  if (number >= requests) return kNever;
  const std::unique_ptr<TraceView> view = trace.view();
  view->need(number);
  const TraceView::Place place = view->place(number);
  return place.table().arrival(place.at);
}

/// The part of a run in which the queue is watched: without what a run that begins empty begins
/// with.
BacklogWatch backlog_watch(const RunPlan& plan, const RunTrace& trace) {
  const CountedPart part = plan.counted.value_or(CountedPart{0.1, 1});
  const auto requests = static_cast<double>(trace.survey().requests);
  return {static_cast<std::int64_t>(part.first * requests),
          static_cast<std::int64_t>(part.last * requests) - 1};
}

std::vector<double> shares_within(const std::vector<LatencyBounds>& bounds,
                                  const Samples& samples) {
  std::vector<double> shares;
  const auto requests = static_cast<double>(std::max<std::int64_t>(1, samples.sums().requests));
  for (const LatencyBounds& each : bounds) {
    shares.push_back(static_cast<double>(samples.within(each)) / requests);
  }
  return shares;
}

RunResult run_one(const RunPlan& plan, const RunRow& row, const RunTrace& trace, SummaryKey key,
                  Time warmup, const Output& output, Progress* progress, const RunShare& share,
                  std::vector<std::string>& notes) {
  const Settings& settings = row.machine.settings;
  key.clairvoyant = is_clairvoyant(row.policy, row.machine);
  RecorderOptions options;
  options.kv_blocks_total = settings.server.kv.device_blocks;
  options.kv_block_size = settings.server.kv.block_size;
  options.warmup = warmup;
  if (plan.counted) {
    options.warmup = arrival_at(trace, plan.counted->first);
    options.until = arrival_at(trace, plan.counted->last);
  }
  SoloTimes solo(trace, *row.machine.cost);
  options.alone = [&solo](std::int64_t prompt_tokens, std::int64_t output_tokens) {
    return solo.of(prompt_tokens, output_tokens);
  };
  const std::unique_ptr<TraceView> view = trace.view();
  const RequestLabels labels = [&view](RequestId id) {
    const TraceView::Place place = view->place(index(id));
    return place.table().label(place.at);
  };
  if (trace.has_programs()) {
    options.program = [&trace, &view](RequestId id) { return trace.program(*view, id); };
  }
  std::vector<std::uint64_t> digests;
  std::optional<RequestsCsv> requests_csv;
  if (output.requests_csv) {
    RequestNames names{labels, trace.survey().tenants, nullptr};
    if (row.machine.engine != nullptr) names.token_digests = &digests;
    requests_csv.emplace(*output.requests_csv, "requests.csv", names);
    options.requests_csv = &*requests_csv;
  }
  options.iterations_csv = output.iterations_csv.get();
  options.replicas = static_cast<std::size_t>(settings.replicas);
  std::vector<LevelCounts> level_counts(options.replicas);
  const auto watched_levels =
      output.iterations_csv ? std::span(level_counts) : std::span<LevelCounts>();
  options.level_counts = watched_levels;
  Recorder recorder(options);
  InterruptWatch interrupts;
  Forgetter forgetter(*view, recorder);
  BacklogWatch backlog = backlog_watch(plan, trace);
  ObserverList observers({&recorder, &interrupts, &forgetter, &backlog});
  if (share.watcher != nullptr) observers.add(*share.watcher);
  std::unique_ptr<TimelineWriter> timeline;
  if (output.timeline_json) {
    timeline = std::make_unique<TimelineWriter>(*output.timeline_json, "timeline.json", labels);
    observers.add(*timeline);
  }
  FinishedRequests finished(options.warmup);
  if (plan.bound) observers.add(finished);
  const auto flight = begin_flight_record(plan, row, key, trace, *view);
  if (flight) observers.add(*flight);
  if (progress != nullptr) {
    progress->begin(key.label, static_cast<std::int64_t>(trace.survey().requests));
    observers.add(*progress);
  }

  RunResult result;
  try {
    result.passes = run_simulation(row.policy, row.machine, trace, *view, key.seed, observers,
                                   &digests, watched_levels)
                        .passes;
    recorder.finish();
    if (flight) flight->finish(view->digest());
  } catch (const Interrupted&) {
    // A live run has shown what nobody can repeat; a simulation can be run again.
    if (settings.clock != "wall") throw;
    result.interrupted = true;
    recorder.finish_early();
    add_note(notes, fmt::format("{}: interrupted after {} of {} requests", key.label,
                                recorder.ended_requests(), trace.survey().requests));
  }
  if (timeline) timeline->finish();
  close_file(output.requests_csv.get(), "requests.csv");
  close_file(output.iterations_csv.get(), "iterations.csv");
  close_file(output.timeline_json.get(), "timeline.json");
  note_rejections(key.label, recorder, notes);
  if (const std::string left = left_measured_range(row.machine); !left.empty()) {
    add_note(notes, left);
  }
  result.iterations = recorder.iterations();
  result.trace_digest = view->digest();
  result.summary = summarize(key, recorder);
  if (plan.bound) add_bound(share, finished, row.machine, *view, result.summary, notes);
  result.shares = shares_within(plan.latency_bounds, recorder.samples());
  result.backlog_changes = backlog.changes();
  return result;
}

/// A plan with everything resolved and checked but the trace, which may be too large to keep.
struct Prepared {
  std::vector<RunRow> rows;
  std::vector<std::uint64_t> seeds;
  std::vector<RunName> names;  // row by row for each seed
  std::vector<std::string> notes;
};

std::vector<RunName> names_of(const Prepared& prepared) {
  std::vector<RunName> names;
  std::vector<std::string> labels;
  for (const std::uint64_t seed : prepared.seeds) {
    for (const RunRow& row : prepared.rows) {
      labels.push_back(prepared.seeds.size() > 1 ? fmt::format("{} seed={}", row.series, seed)
                                                 : row.series);
      names.push_back({labels.back(), row.series, ""});
    }
  }
  const std::vector<std::string> folders = safe_file_names(labels);
  for (std::size_t i = 0; i < names.size(); ++i) names[i].folder = folders[i];
  return names;
}

/// What tells of a single server.
void check_fleets(const RunPlan& plan, const Prepared& prepared) {
  for (const RunRow& row : prepared.rows) {
    if (!is_fleet(row.machine.settings)) continue;
    if (!plan.record.empty() || plan.timeline) {
      throw InputError(fmt::format("run: {} tells of one server, and here are several",
                                   plan.timeline ? "--timeline" : "--record"));
    }
  }
}

void check_record(const RunPlan& plan, const Prepared& prepared) {
  if (plan.record.empty()) return;
  if (prepared.names.size() != 1) {
    throw InputError(
        fmt::format("run: --record takes one run, and here are {}; give one policy under one "
                    "system, and one seed",
                    prepared.names.size()));
  }
  std::error_code none;
  for (const std::string& input : {plan.trace, prepared.rows.front().machine.settings.cost_file}) {
    if (std::filesystem::equivalent(plan.record, input, none)) {
      throw InputError(fmt::format("run: --record {} would write over what the run reads",
                                   printable(plan.record)));
    }
  }
}

Prepared prepare(const RunPlan& plan, const RunShare& share = {}) {
  Prepared prepared;
  prepared.rows = resolve_rows(plan, share);
  for (const RunRow& row : prepared.rows) {
    for (const std::string& note : row.machine.notes) {
      add_note(prepared.notes, fmt::format("{}: {}", row.series, note));
    }
  }
  const bool is_plan = is_workload_plan(plan.trace);
  const bool resampled = prepared.rows.front().machine.settings.resample_block_s.has_value();
  if (is_plan && resampled) {
    throw InputError("run: --resample is for recorded traces; a workload plan is drawn anew");
  }
  const bool differ = is_plan || resampled;
  const std::uint64_t first = first_seed(plan);
  if (!plan.until.empty() && !differ) {
    throw InputError(
        "run: --until draws seeds until it knows enough; that takes a workload plan "
        "or --resample");
  }
  std::int64_t seeds = plan.repeat;
  if (!plan.until.empty()) seeds = std::max(seeds, kFewestReplications);
  if (seeds > 1 && !differ) {
    add_note(prepared.notes,
             "a recorded trace has no sampling error: it is run once, and there is no interval "
             "(--resample blocks:SECONDS gives one)");
    seeds = 1;
  }
  for (std::int64_t i = 0; i < seeds; ++i) {
    prepared.seeds.push_back(first + static_cast<std::uint64_t>(i));
  }
  prepared.names = names_of(prepared);
  check_fleets(plan, prepared);
  check_record(plan, prepared);
  return prepared;
}

/// How many simulations so many seeds take.
std::int64_t runs_in(const Prepared& prepared, std::int64_t seeds) {
  const bool twice = prepared.rows.front().machine.settings.find_warmup;
  return seeds * static_cast<std::int64_t>(prepared.rows.size()) * (twice ? 2 : 1);
}

/// Where the summaries of this trace begin.
Time warmup_end(const Prepared& prepared, const RunTrace& trace, std::uint64_t seed,
                Progress* progress, std::vector<std::string>& notes) {
  const Settings& settings = prepared.rows.front().machine.settings;
  if (!settings.find_warmup) return kOrigin + from_seconds(settings.warmup_s);
  const bool alone = prepared.seeds.size() == 1;
  const FoundWarmup found = find_warmup(prepared.rows, trace, seed, alone, progress);
  for (const std::string& note : found.notes) add_note(notes, note);
  return found.end;
}

RunResults run_all(const RunPlan& plan, const Prepared& prepared,
                   const std::filesystem::path& place, Progress* progress, const RunShare& share,
                   std::vector<TraceFacts>& traces) {
  RunResults results;
  results.notes = prepared.notes;
  for (const std::uint64_t seed : prepared.seeds) {
    std::shared_ptr<const RunTrace> shared = share.trace;
    if (!shared) {
      shared = std::make_shared<const RunTrace>(
          compose_trace(source_of(plan), prepared.rows.front().machine.settings, seed));
    }
    const RunTrace& trace = *shared;
    const Time warmup = warmup_end(prepared, trace, seed, progress, results.notes);
    for (const RunRow& row : prepared.rows) {
      const RunName& name = prepared.names[results.runs.size()];
      const SummaryKey key{name.label, name.series, row.policy, row.system, seed, false};
      const Output output = open_output(plan, place, name.folder, share.requests_csv);
      results.runs.push_back(
          run_one(plan, row, trace, key, warmup, output, progress, share, results.notes));
      results.runs.back().folder = name.folder;
      if (results.runs.back().interrupted) break;
    }
    traces.push_back(
        {results.runs.back().trace_digest, trace.survey().requests, trace.survey().counts});
    if (results.runs.back().interrupted) break;
    if (plan.until.empty()) continue;
    const SeedsNeeded enough = seeds_needed(plan, prepared.rows, results);
    if (enough.reached) break;
    if (progress != nullptr) {
      progress->expect(runs_in(prepared, std::min(enough.needed, plan.repeat)));
    }
  }
  note_precision(plan, prepared.rows, results);
  note_instability(prepared.rows, results);
  return results;
}

void write_folder(const RunPlan& plan, const std::vector<RunRow>& rows,
                  const std::vector<TraceFacts>& traces, const RunResults& results,
                  const ResultFolder& folder) {
  std::vector<Summary> summaries;
  for (const RunResult& result : results.runs) summaries.push_back(result.summary);
  write_text_file(folder.path() / "summary.csv", summary_csv(summaries));
  if (traces.size() > 1) {
    write_text_file(folder.path() / "summary_ci.csv", summary_ci_csv(summaries));
  }
  write_text_file(folder.path() / "run.json", run_json(plan, rows, traces, results));
}

}  // namespace

RunResults run(const RunPlan& plan, ResultFolder* folder, const RunShare& share) {
  const Prepared prepared = prepare(plan, share);
  invariant(!share.trace || prepared.names.size() == 1, "I12 a summary has its names",
            "one trace is shared by {} runs", prepared.names.size());
  invariant(share.advice == nullptr || (folder == nullptr && plan.record.empty()),
            "I16 a result names all that made it", "advice of its own, with files");
  const std::int64_t seeds =
      plan.until.empty() ? static_cast<std::int64_t>(prepared.seeds.size()) : kFewestReplications;
  const auto own = share.progress != nullptr
                       ? nullptr
                       : Progress::on_terminal(runs_in(prepared, seeds), plan.quiet);
  Progress* const progress = share.progress != nullptr ? share.progress : own.get();
  std::vector<TraceFacts> traces;
  const auto place = folder != nullptr ? folder->path() : std::filesystem::path();
  KnownBounds bounds;
  RunShare given = share;
  if (given.bounds == nullptr) given.bounds = &bounds;
  given.bound_notes = given.bound_notes && prepared.seeds.size() == 1;
  RunResults results = run_all(plan, prepared, place, progress, given, traces);
  if (folder != nullptr) write_folder(plan, prepared.rows, traces, results, *folder);
  return results;
}

void check(const RunPlan& plan) {
  prepare(plan);
}

RunRow only_row(const RunPlan& plan) {
  Prepared prepared = prepare(plan);
  if (prepared.names.size() != 1) {
    throw InputError(fmt::format("one run is needed, and here are {}", prepared.names.size()));
  }
  return std::move(prepared.rows.front());
}

TraceSource source_of(const RunPlan& plan) {
  return {plan.trace, plan.format, plan.zero, plan.trust_ids, plan.stream_bytes};
}

std::uint64_t first_seed(const RunPlan& plan) {
  if (plan.seed) return *plan.seed;
  return is_workload_plan(plan.trace) ? read_workload_plan(plan.trace).seed.value_or(1) : 1;
}

}  // namespace tokenyard
