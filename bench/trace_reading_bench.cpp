// What it costs to read a trace file on one core, a format a row: rows and bytes a second from the
// file to the trace in memory, sorted and with its digest, and (survey) checked and counted alone.

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "sim/kernel/rng.hpp"
#include "traces/reader.hpp"
#include "traces/trace_stream.hpp"

namespace tokenyard::bench {
namespace {

constexpr int kRows = 300'000;

/// A made-up trace of one format in a file that goes with the object.
class TraceFile {
 public:
  template <typename Row>
  TraceFile(const std::string& ending, const std::string& header, Row row) {
    path_ = (std::filesystem::temp_directory_path() / ("trace-reading-bench" + ending)).string();
    std::ofstream file(path_, std::ios::binary);
    file << header;
    Rng rng(1);
    for (int i = 0; i < kRows; ++i) file << row(i, rng);
  }
  ~TraceFile() { std::filesystem::remove(path_); }
  TraceFile(const TraceFile&) = delete;
  TraceFile& operator=(const TraceFile&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

TraceFile azure() {
  return {".csv", "TIMESTAMP,ContextTokens,GeneratedTokens\r\n", [](int i, Rng& rng) {
            return fmt::format("2023-11-16 {:02}:{:02}:{:02}.{:07},{},{}\r\n", i / 36'000 % 24,
                               i / 600 % 60, i / 10 % 60, i % 10 * 1'000'000, rng() % 4000 + 1,
                               rng() % 1000 + 1);
          }};
}

TraceFile vidur() {
  return {".csv", "arrived_at,num_prefill_tokens,num_decode_tokens\n", [](int i, Rng& rng) {
            return fmt::format("{}.{:06},{},{}\n", i / 10, i % 10 * 100'000, rng() % 4000 + 1,
                               rng() % 1000 + 1);
          }};
}

TraceFile burstgpt() {
  return {".csv", "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n",
          [](int i, Rng& rng) {
            return fmt::format("{},ChatGPT,{},{},1,Conversation log\n", i / 10, rng() % 4000 + 1,
                               rng() % 1000 + 1);
          }};
}

TraceFile flat_csv() {
  return {".csv", "id,arrival_ns,input_tokens,output_tokens\n", [](int i, Rng& rng) {
            return fmt::format("{},{}00000000,{},{}\n", i, i + 1, rng() % 4000 + 1,
                               rng() % 1000 + 1);
          }};
}

TraceFile canonical() {
  return {".jsonl", "", [](int i, Rng& rng) {
            return fmt::format(
                "{{\"id\":\"{}\",\"arrival_ns\":{}00000000,\"input_tokens\":{},"
                "\"output_tokens\":{}}}\n",
                i, i + 1, rng() % 4000 + 1, rng() % 1000 + 1);
          }};
}

/// As many blocks as in Mooncake's conversation trace (24 in the mean).
std::string hashes(Rng& rng, std::uint64_t blocks) {
  std::string text;
  for (std::uint64_t i = 0; i < blocks; ++i) {
    text += fmt::format("{}{}", i == 0 ? "" : ", ", rng() % 200'000);
  }
  return text;
}

TraceFile mooncake() {
  return {".jsonl", "", [](int i, Rng& rng) {
            const std::uint64_t blocks = rng() % 47 + 1;
            return fmt::format(
                "{{\"timestamp\": {}, \"input_length\": {}, \"output_length\": {}, \"hash_ids\": "
                "[{}]}}\n",
                i * 100, blocks * 512 - rng() % 512, rng() % 1000 + 1, hashes(rng, blocks));
          }};
}

TraceFile canonical_with_blocks() {
  return {".jsonl", "{\"meta\":{\"block_tokens\":512}}\n", [](int i, Rng& rng) {
            const std::uint64_t blocks = rng() % 47 + 1;
            return fmt::format(
                "{{\"id\":\"{}\",\"arrival_ns\":{}00000000,\"input_tokens\":{},\"output_tokens\":"
                "{},\"session_id\":\"s{}\",\"block_hashes\":[{}]}}\n",
                i, i + 1, blocks * 512 - rng() % 512, rng() % 1000 + 1, i / 10,
                hashes(rng, blocks));
          }};
}

void count(benchmark::State& state, const std::string& path) {
  state.SetItemsProcessed(state.iterations() * kRows);
  state.SetBytesProcessed(state.iterations() *
                          static_cast<std::int64_t>(std::filesystem::file_size(path)));
}

void read(benchmark::State& state, TraceFile (*make)()) {
  const TraceFile file = make();
  for (auto _ : state) benchmark::DoNotOptimize(read_trace(file.path()).digest);
  count(state, file.path());
}

void survey(benchmark::State& state, TraceFile (*make)()) {
  const TraceFile file = make();
  for (auto _ : state) benchmark::DoNotOptimize(survey_trace(file.path(), {})->requests);
  count(state, file.path());
}

BENCHMARK_CAPTURE(read, azure, azure)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(read, vidur, vidur)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(read, burstgpt, burstgpt)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(read, flat_csv, flat_csv)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(read, canonical, canonical)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(read, canonical_with_blocks, canonical_with_blocks)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(read, mooncake, mooncake)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(survey, azure, azure)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(survey, mooncake, mooncake)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tokenyard::bench
