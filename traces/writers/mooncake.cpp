// The form of Mooncake's traces: JSON Lines with milliseconds, lengths and the names of the
// prompt's blocks of 512 tokens.

#include <fmt/format.h>

#include <cstdint>
#include <iterator>
#include <unordered_map>
#include <vector>

#include "traces/writers/catalogue.hpp"

namespace tokenyard {

namespace {

constexpr std::int64_t kBlockTokens = 512;

/// Names are numbered from 0 in the order of their appearance, as Mooncake's are. A request without
/// any gets one of its own for each block: it shares nothing.
class MooncakeRows final : public RowWriter {
 public:
  explicit MooncakeRows(const Trace& trace) : trace_(trace) {}

  void begin(fmt::memory_buffer&) const override {}
  void row(const TraceRequest& request, fmt::memory_buffer& out) override {
    const std::int64_t blocks = (request.input_tokens + kBlockTokens - 1) / kBlockTokens;
    std::vector<std::int64_t> ids;
    for (const std::int64_t hash : trace_.block_hashes.at(request.block_hashes)) {
      const auto [at, fresh] = numbers_.try_emplace(hash, next_);
      next_ += fresh ? 1 : 0;
      ids.push_back(at->second);
    }
    while (static_cast<std::int64_t>(ids.size()) < blocks) ids.push_back(next_++);
    constexpr std::int64_t kMillisecond = 1'000'000;
    fmt::format_to(
        std::back_inserter(out),
        R"({{"timestamp": {}, "input_length": {}, "output_length": {}, "hash_ids": [{}]}})"
        "\n",
        nanoseconds(request.arrival) / kMillisecond, request.input_tokens, request.output_tokens,
        fmt::join(ids, ", "));
  }

 private:
  const Trace& trace_;
  std::unordered_map<std::int64_t, std::int64_t> numbers_;  ///< looked up only
  std::int64_t next_ = 0;
};

std::string fault(const Trace& trace) {
  if (!trace.parents.empty()) return "Mooncake's form has no requests that wait for others";
  if (trace.block_hashes.empty() || trace.block_tokens == kBlockTokens) return "";
  return fmt::format("Mooncake's blocks have {} tokens, this trace's have {}", kBlockTokens,
                     trace.block_tokens);
}

std::string lost(const Trace& trace) {
  const std::string rest = lost_beyond_lengths(trace, true);
  return "fractions of a millisecond" + (rest.empty() ? "" : ", " + rest);
}

}  // namespace

const WriterEntry kMooncakeWriter = {
    "mooncake", "JSON Lines: timestamp (ms), input_length, output_length, hash_ids of 512 tokens",
    ".jsonl",   fault,
    lost,       open_rows<MooncakeRows>};

}  // namespace tokenyard
