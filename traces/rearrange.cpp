#include "traces/rearrange.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/random/uniform_int_distribution.hpp>
#include <map>
#include <span>
#include <string>
#include <utility>

#include "sim/kernel/input_error.hpp"
#include "sim/kernel/rng.hpp"
#include "sim/kernel/strict_json.hpp"
#include "sim/kernel/text.hpp"
#include "traces/trace_builder.hpp"
#include "traces/writer.hpp"

namespace tokenyard {

namespace {

/// Requests of other traces on their way into a new one.
class Collector {
 public:
  Collector() { trace_.tenants.clear(); }

  /// What the next requests come from.
  void take_from(const Trace& from) {
    tenants_.clear();
    for (const std::string& name : from.tenants) {
      const auto next = static_cast<TenantId>(trace_.tenants.size());
      const auto [at, fresh] = tenant_ids_.try_emplace(name, next);
      if (fresh) trace_.tenants.push_back(name);
      tenants_.push_back(at->second);
    }
  }

  /// Before the requests of a part: its number, from 1, makes ids and names of blocks its own.
  void begin_part() {
    ++part_;
    part_begin_ = trace_.requests.size();
    sessions_before_ = last_session_;
  }

  /// Where requests wait for others, a part is a whole trace.
  void add(const Trace& from, std::size_t at, Time arrival) {
    TraceRequest request = from.requests[at];
    request.label = fmt::format("{}/{}", part_, request.label);
    request.arrival = arrival;
    request.tenant = tenants_[index(request.tenant)];
    request.outputs = trace_.outputs.add(from.outputs.at(request.outputs));
    request.prompt_token_ids =
        trace_.prompt_token_ids.add(from.prompt_token_ids.at(request.prompt_token_ids));
    std::vector<std::int64_t> names;
    for (const std::int64_t name : from.block_hashes.at(request.block_hashes)) {
      names.push_back(renamed(name));
    }
    request.block_hashes = trace_.block_hashes.add(names);
    std::vector<std::size_t> parents;
    for (const std::uint32_t parent : from.parents.at(request.parents)) {
      parents.push_back(part_begin_ + parent);
    }
    request.parents = trace_.parents.add(parents);
    if (request.session > 0) request.session += sessions_before_;
    last_session_ = std::max(last_session_, request.session);
    request.details = trace_.details.add(renamed_session(from.details.at(request.details)));
    trace_.requests.push_back(request);
  }

  Trace& trace() { return trace_; }

 private:
  /// 53 bits, which any reader of JSON keeps.
  std::int64_t renamed(std::int64_t name) const {
    Rng rng = named_stream(static_cast<std::uint64_t>(name), "blocks of a part", part_);
    return static_cast<std::int64_t>(rng() >> 11U);
  }

  /// The session of a part is named as its requests are.
  std::string renamed_session(std::span<const char> details) const {
    std::string text(details.begin(), details.end());
    if (text.find("\"session_id\"") == std::string::npos) return text;
    const JsonObject json = JsonFile::parse("{" + text + "}", "details");
    text.clear();
    for (const std::string& key : json.keys()) {
      const bool names = key == "session_id";
      text += fmt::format(
          "{}{}:{}", text.empty() ? "" : ",", json_text(key),
          names ? json_text(fmt::format("{}/{}", part_, json.scalar_text(key))) : json.raw(key));
    }
    return text;
  }

  Trace trace_;
  std::uint64_t part_ = 0;
  std::uint32_t sessions_before_ = 0, last_session_ = 0;
  std::size_t part_begin_ = 0;
  std::map<std::string, TenantId> tenant_ids_;
  std::vector<TenantId> tenants_;  ///< in the new trace, by those of what is taken from
};

/// The position of the first request that arrives at `time` or later.
std::size_t first_from(const RequestTable& requests, Time time) {
  std::size_t low = 0;
  std::size_t high = requests.size();
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (requests.arrival(middle) < time) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

std::string meta_with(std::string text, std::int64_t block_tokens) {
  if (block_tokens > 0) text += fmt::format(R"(,"block_tokens":{})", block_tokens);
  return text + '}';
}

void add_counts(TraceCounts& sum, const TraceCounts& counts) {
  sum.read += counts.read;
  sum.clamped += counts.clamped;
  sum.unsorted += counts.unsorted;
  for (const DroppedRows& rows : counts.dropped) {
    const auto known = std::ranges::find(sum.dropped, rows.reason, &DroppedRows::reason);
    if (known == sum.dropped.end()) {
      sum.dropped.push_back(rows);
    } else {
      known->rows += rows.rows;
    }
  }
}

/// Lets a request of a slice that begins at `begin` wait for those alone that are in the slice;
/// where there are none, it arrives as it did.
void cut_parents(Trace& trace, std::size_t begin, TraceRequest& request) {
  std::vector<std::size_t> parents;
  for (const std::uint32_t parent : trace.parents.at(request.parents)) {
    if (parent >= begin) parents.push_back(parent - begin);
  }
  request.parents = trace.parents.add(parents);
  if (!parents.empty()) return;
  request.delay = Duration(0);
  request.arrival_given = true;
}

}  // namespace

void slice(Trace& trace, const Slice& slice) {
  const RequestTable& all = trace.requests;
  const Time from = kOrigin + from_seconds(slice.from_s.value_or(0));
  std::size_t begin = first_from(all, from);
  std::size_t end = slice.to_s ? first_from(all, kOrigin + from_seconds(*slice.to_s)) : all.size();
  begin = std::min(end, begin + static_cast<std::size_t>(slice.skip));
  if (slice.first) end = std::min(end, begin + static_cast<std::size_t>(*slice.first));
  if (begin >= end) {
    throw InputError(fmt::format("trace '{}': the slice holds no request", trace.name));
  }
  const Duration origin = (slice.skip > 0 ? all.arrival(begin) : from) - kOrigin;
  RequestTable kept;
  kept.reserve(end - begin);
  for (std::size_t at = begin; at < end; ++at) {
    TraceRequest request = all[at];
    request.arrival -= origin;
    cut_parents(trace, begin, request);
    kept.push_back(request);
  }
  const auto left_out = static_cast<std::int64_t>(all.size() - kept.size());
  if (left_out > 0) trace.counts.dropped.push_back({"outside the slice", left_out});
  trace.requests = std::move(kept);
  settle(trace);
}

Trace superpose(std::vector<Trace> traces) {
  Collector collector;
  Trace& sum = collector.trace();
  std::string names;
  for (Trace& trace : traces) {
    if (!trace.block_hashes.empty()) {
      if (sum.block_tokens > 0 && sum.block_tokens != trace.block_tokens) {
        throw InputError(fmt::format("trace '{}' names blocks of {} tokens, one before it of {}",
                                     trace.name, trace.block_tokens, sum.block_tokens));
      }
      sum.block_tokens = trace.block_tokens;
    }
    collector.take_from(trace);
    collector.begin_part();
    for (std::size_t at = 0; at < trace.requests.size(); ++at) {
      collector.add(trace, at, trace.requests.arrival(at));
    }
    add_counts(sum.counts, trace.counts);
    names += fmt::format("{}{}", names.empty() ? "" : ",", json_text(trace.name));
    sum.name += fmt::format("{}{}", sum.name.empty() ? "" : "+", trace.name);
    trace = {};
  }
  sum.meta = meta_with(fmt::format(R"({{"superposed":[{}])", names), sum.block_tokens);
  settle(sum);
  return std::move(sum);
}

Trace resample(const Trace& trace, double block_s, std::uint64_t seed) {
  if (!trace.parents.empty()) {
    throw InputError(
        fmt::format("trace '{}': its requests wait for one another, and cannot be drawn "
                    "anew by windows of time",
                    trace.name));
  }
  const RequestTable& all = trace.requests;
  const Time first = all.arrival(0);
  const Duration span = all.arrival(all.size() - 1) - first;
  if (!(block_s >= 1e-9 && block_s < to_seconds(span))) {
    throw InputError(fmt::format("trace '{}': blocks of {} s must be shorter than the trace, {} s",
                                 trace.name, format_number(block_s), format_seconds(span)));
  }
  const Duration block = from_seconds(block_s);
  constexpr std::int64_t kMostBlocks = 10'000'000;
  if (span / block >= kMostBlocks) {
    throw InputError(fmt::format("trace '{}': {} s are more than {} blocks of {} s", trace.name,
                                 format_seconds(span), kMostBlocks, format_number(block_s)));
  }
  Rng rng = named_stream(seed, "resample");
  boost::random::uniform_int_distribution<std::int64_t> starts(0, (span - block).count());
  Collector collector;
  Trace& drawn = collector.trace();
  drawn.block_tokens = trace.block_tokens;
  collector.take_from(trace);
  for (Duration covered{0}; covered < span; covered += block) {
    const Time begin = first + Duration(starts(rng));
    const Time end = begin + std::min(block, span - covered);
    collector.begin_part();
    for (std::size_t at = first_from(all, begin); at < all.size() && all.arrival(at) < end; ++at) {
      collector.add(trace, at, kOrigin + covered + (all.arrival(at) - begin));
    }
  }
  if (drawn.requests.empty()) {
    throw InputError(
        fmt::format("trace '{}': the resample of seed {} holds no request; take "
                    "longer blocks",
                    trace.name, seed));
  }
  drawn.name = fmt::format("{} resampled", trace.name);
  drawn.meta = meta_with(fmt::format(R"({{"resampled":{},"blocks_s":{},"seed":{})",
                                     json_text(trace.name), format_number(block_s), seed),
                         drawn.block_tokens);
  drawn.counts.read = static_cast<std::int64_t>(drawn.requests.size());
  settle(drawn);
  return std::move(drawn);
}

}  // namespace tokenyard
