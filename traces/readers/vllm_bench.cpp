// What `vllm bench serve --save-result --save-detailed` writes (github.com/vllm-project/vllm,
// vllm/benchmarks/serve.py): one JSON object with a list an entry a request: input_lens,
// output_lens, start_times (seconds of the client's clock; in newer versions), ttfts, errors and
// longer ones, which are passed over.

#include <fmt/format.h>

#include <array>
#include <string>
#include <vector>

#include "sim/kernel/input_error.hpp"
#include "sim/kernel/text.hpp"
#include "traces/json_pieces.hpp"
#include "traces/readers/catalogue.hpp"
#include "traces/readers/details.hpp"
#include "traces/time_text.hpp"

namespace tokenyard {

namespace {

bool recognises(std::string_view beginning) {
  const auto has = [&](std::string_view key) {
    return beginning.find(key) != std::string_view::npos;
  };
  return beginning.starts_with('{') && has("\"request_throughput\"") &&
         has("\"total_input_tokens\"");
}

class VllmBenchRows final : public RowReader {
 public:
  VllmBenchRows(LineReader& lines, const ReadOptions& options)
      : lines_(lines), lengths_only_(options.lengths_only), keeps_details_(options.details) {}

  TraceOrigin origin() const override { return TraceOrigin::earliest_row; }

  bool next(TraceRow& row) override {
    if (!loaded_) load();
    if (at_ == inputs_.size()) return false;
    const std::size_t request = at_++;
    if (!starts_ns_.empty()) row.arrival_ns = starts_ns_[request];
    row.input_tokens = inputs_[request];
    row.output_tokens = outputs_[request];
    if (!keeps_details_) return true;
    details_.clear();
    if (!errors_.empty() && !errors_[request].empty()) {
      details_.add_text("status", errors_[request]);
    }
    if (!ttfts_.empty()) details_.add("ext", fmt::format("{{\"ttft\":{}}}", ttfts_[request]));
    row.details = details_.text();
    return true;
  }

 private:
  void load();
  void read_member(const std::string& key, std::string_view value, std::size_t line);
  void check_sizes() const;

  LineReader& lines_;
  const bool lengths_only_, keeps_details_;
  bool loaded_ = false;
  std::vector<std::string> seen_;
  std::vector<std::int64_t> inputs_, outputs_, starts_ns_;
  std::vector<std::string> errors_, ttfts_;
  std::size_t at_ = 0;
  MemberText details_;
};

void VllmBenchRows::load() {
  loaded_ = true;
  JsonPieces pieces(lines_);
  pieces.expect('{');
  while (!pieces.take('}')) {
    if (!seen_.empty()) pieces.expect(',');
    const std::string key = pieces.key();
    if (std::ranges::find(seen_, key) != seen_.end()) {
      lines_.refuse("", fmt::format("duplicate key \"{}\"", printable(key)));
    }
    seen_.push_back(key);
    constexpr std::size_t kMostKeys = 10'000;
    if (seen_.size() > kMostKeys) lines_.refuse("", "more than 10,000 keys");
    static constexpr std::array<std::string_view, 5> kRead = {"input_lens", "output_lens",
                                                              "start_times", "ttfts", "errors"};
    if (std::ranges::find(kRead, key) == kRead.end()) {
      pieces.skip();
    } else {
      const std::string_view value = pieces.value();
      read_member(key, value, pieces.line());
    }
  }
  pieces.expect_end();
  check_sizes();
}

/// Numbers as they are written, from the compact text of an array.
std::vector<std::string> written(const JsonObject& json, const std::string& key) {
  json.numbers(key, std::numeric_limits<double>::lowest(), std::numeric_limits<double>::max());
  const std::string raw = json.raw(key);
  std::vector<std::string> numbers;
  if (raw == "[]") return numbers;
  for (const auto part : split(std::string_view(raw).substr(1, raw.size() - 2), ',')) {
    numbers.emplace_back(part);
  }
  return numbers;
}

void VllmBenchRows::read_member(const std::string& key, std::string_view value, std::size_t line) {
  const std::string object = fmt::format("{{\"{}\":{}}}", key, value);
  const JsonObject json = JsonFile::parse(object, lines_.path(), line);
  if (key == "input_lens") inputs_ = json.integers(key, 0, kMostTokens);
  if (key == "output_lens") outputs_ = json.integers(key, 0, kMostTokens);
  if (key == "errors") errors_ = json.strings(key);
  if (key == "ttfts") ttfts_ = written(json, key);
  if (key != "start_times") return;
  for (const std::string& time : written(json, key)) {
    const auto ns = parse_decimal_time(time, TimeUnit::seconds);
    if (!ns) {
      json.refuse(
          key, fmt::format("'{}' is not a time in seconds (at most 100 years)", printable(time)));
    }
    starts_ns_.push_back(*ns);
  }
}

void VllmBenchRows::check_sizes() const {
  const auto has = [&](std::string_view key) {
    return std::ranges::find(seen_, key) != seen_.end();
  };
  for (const char* key : {"input_lens", "output_lens"}) {
    if (!has(key)) {
      lines_.refuse(key, "is missing: the benchmark writes it with --save-detailed");
    }
  }
  if (!has("start_times") && !lengths_only_) {
    lines_.refuse("start_times",
                  "the file has lengths but no arrivals, as older versions of vLLM write it; "
                  "`trace generate` can draw from it with --lengths dataset:FILE");
  }
  const auto check = [&](const char* key, std::size_t size) {
    if (has(key) && size != inputs_.size()) {
      lines_.refuse(key, fmt::format("has {} entries, input_lens has {}", size, inputs_.size()));
    }
  };
  check("output_lens", outputs_.size());
  check("start_times", starts_ns_.size());
  check("ttfts", ttfts_.size());
  check("errors", errors_.size());
}

}  // namespace

const ReaderEntry kVllmBenchReader = {
    "vllm-bench",
    "JSON of vllm bench serve --save-detailed: {…,\"input_lens\":[…],\"start_times\":[…],…}",
    recognises, open_rows<VllmBenchRows>, ReaderEntry::By::beginning};

}  // namespace tokenyard
