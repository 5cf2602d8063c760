// What a run costs outside its loop, for a million requests: reading or drawing the trace,
// recording the ends, writing requests.csv, the summary, the token gaps. Time is divided by the
// requests.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "experiments/record/recorder.hpp"
#include "experiments/record/summary.hpp"
#include "sim/kernel/rng.hpp"
#include "traces/generate.hpp"
#include "traces/reader.hpp"
#include "traces/trace_stream.hpp"
#include "traces/writer.hpp"

namespace tokenyard::bench {
namespace {

constexpr std::int64_t kRequests = 1'000'000;
const WorkloadPlan kPlan = {kRequests, "poisson:rate=4", "sharegpt-like", {}};

void per_request(benchmark::State& state, std::int64_t requests = kRequests) {
  const double all = static_cast<double>(requests) * static_cast<double>(state.iterations());
  state.counters["s/request"] =
      benchmark::Counter(all, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

const Trace& workload() {
  static const Trace trace = generate(kPlan, 1);
  return trace;
}

/// The workload in a file, removed at the end of the program. `ids` begins each request's id.
class TraceFile {
 public:
  TraceFile(const std::string& ending, const std::string& ids) {
    path_ = (std::filesystem::temp_directory_path() / ("record-bench" + ids + ending)).string();
    Trace trace;
    for (TraceRequest request : workload().requests) {
      request.label = ids + request.label;
      trace.requests.push_back(request);
    }
    write_trace(trace, path_);
  }
  ~TraceFile() { std::filesystem::remove(path_); }
  TraceFile(const TraceFile&) = delete;
  TraceFile& operator=(const TraceFile&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

void draw(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(generate(kPlan, 1).digest);
  per_request(state);
}

void read(benchmark::State& state, const char* ending, const char* ids) {
  const TraceFile file(ending, ids);
  for (auto _ : state) benchmark::DoNotOptimize(read_trace(file.path()).digest);
  per_request(state);
}

void stream(benchmark::State& state) {
  const TraceFile file(".csv", "");
  for (auto _ : state) {
    const auto survey = survey_trace(file.path(), {});
    TraceStream trace(file.path(), {}, *survey);
    for (std::size_t id = 0; id < trace.size(); ++id) {
      trace.need(id);
      trace.forget_before(id);
    }
    benchmark::DoNotOptimize(trace.digest());
  }
  per_request(state);
}

/// The workload's ends; each is some dozens of requests early or late.
std::vector<RequestFacts> made_up_ends(std::size_t from, std::size_t to, Rng& rng) {
  std::vector<RequestFacts> ends;
  const auto up_to_a_second = [&rng] {
    return Duration(static_cast<std::int64_t>(rng() % 1'000'000'000));
  };
  for (std::size_t id = from; id < to; ++id) {
    const RequestTable& requests = workload().requests;
    RequestFacts facts;
    facts.request.id = static_cast<RequestId>(id);
    facts.request.arrival = requests.arrival(id);
    facts.request.prompt_tokens = requests.input_tokens(id);
    facts.output_tokens = facts.sequence_tokens = requests.output_tokens(id);
    for (std::size_t phase = 0; phase < 3; ++phase) facts.phases[phase] = up_to_a_second();
    facts.first_scheduled = facts.request.arrival + facts.phases[0];
    facts.first_token = facts.first_scheduled + facts.phases[1];
    facts.ended = facts.first_token + facts.phases[2];
    ends.push_back(facts);
    const std::size_t back = rng() % std::min<std::size_t>(ends.size(), 64);
    std::swap(ends.back(), ends[ends.size() - 1 - back]);
  }
  return ends;
}

enum class Part { record, record_and_write, summarize };

void record(benchmark::State& state, Part part) {
  constexpr std::size_t kAtOnce = 8192;  // stopping the clock takes time itself
  const auto file = std::filesystem::temp_directory_path() / "record-bench-requests.csv";
  for (auto _ : state) {
    state.PauseTiming();
    std::ofstream out(file, std::ios::binary);
    RequestsCsv csv(out, "requests.csv");
    RecorderOptions options;
    if (part == Part::record_and_write) options.requests_csv = &csv;
    options.alone = [](std::int64_t, std::int64_t tokens) { return Duration(tokens * 20'000'000); };
    Recorder recorder(options);
    Rng rng(1);
    for (std::size_t from = 0; from < static_cast<std::size_t>(kRequests); from += kAtOnce) {
      const auto ends = made_up_ends(from, std::min<std::size_t>(from + kAtOnce, kRequests), rng);
      if (part != Part::summarize) state.ResumeTiming();
      for (const RequestFacts& facts : ends) recorder.ended(facts);
      if (part != Part::summarize) state.PauseTiming();
    }
    recorder.finish();
    state.ResumeTiming();
    if (part == Part::summarize) {
      benchmark::DoNotOptimize(summarize({"a", "a", "a", "", 1, false}, recorder).values.size());
    }
  }
  std::filesystem::remove(file);
  per_request(state);
}

/// Ten million gaps of two million values: about what a million requests leave.
void token_gaps(benchmark::State& state) {
  constexpr std::int64_t kGaps = 10'000'000;
  std::vector<std::int64_t> gaps(kGaps);
  Rng rng(3);
  for (auto& gap : gaps) {
    gap = 20'000'000 + static_cast<std::int64_t>((rng() % 3000) * (rng() % 3000));
  }
  for (auto _ : state) {
    ValueCounts counts;
    for (const std::int64_t gap : gaps) counts.add(gap, 20);
    benchmark::DoNotOptimize(distribution_of_nanoseconds(counts).p99);
  }
  const double all = static_cast<double>(kGaps) * static_cast<double>(state.iterations());
  state.counters["s/gap"] =
      benchmark::Counter(all, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

const auto kUnit = benchmark::kMillisecond;
BENCHMARK(draw)->Unit(kUnit);
BENCHMARK_CAPTURE(read, csv, ".csv", "")->Unit(kUnit);
BENCHMARK_CAPTURE(read, csv_with_ids, ".csv", "id-")->Unit(kUnit);
BENCHMARK_CAPTURE(read, jsonl, ".jsonl", "")->Unit(kUnit);
BENCHMARK(stream)->Unit(kUnit);
BENCHMARK_CAPTURE(record, record, Part::record)->Unit(kUnit);
BENCHMARK_CAPTURE(record, record_and_write, Part::record_and_write)->Unit(kUnit);
BENCHMARK_CAPTURE(record, summarize, Part::summarize)->Unit(kUnit);
BENCHMARK(token_gaps)->Unit(kUnit);

}  // namespace
}  // namespace tokenyard::bench
