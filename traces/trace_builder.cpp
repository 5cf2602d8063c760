#include "traces/trace_builder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "sim/kernel/text.hpp"

namespace tokenyard {

namespace {

constexpr std::string_view kZeroTokens = "zero tokens";

/// How many bytes follow the first byte of a UTF-8 sequence (RFC 3629), or -1.
int following_bytes(unsigned char first) {
  if (first < 0x80) return 0;
  if (first >= 0xc2 && first <= 0xdf) return 1;
  if (first >= 0xe0 && first <= 0xef) return 2;
  if (first >= 0xf0 && first <= 0xf4) return 3;
  return -1;
}

/// A fault that a name must not have, or nothing. Names go into result files of several formats.
const char* fault_of_name(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 || byte == 0x7f) return "has a control character";
    const int following = following_bytes(byte);
    if (following < 0) return "is not UTF-8";
    for (int j = 0; j < following; ++j) {
      if (++i >= text.size() || (static_cast<unsigned char>(text[i]) & 0xc0) != 0x80) {
        return "is not UTF-8";
      }
      const auto second = static_cast<unsigned char>(text[i]);
      const bool overlong = (byte == 0xe0 && second < 0xa0) || (byte == 0xf0 && second < 0x90);
      const bool beyond = (byte == 0xed && second > 0x9f) || (byte == 0xf4 && second > 0x8f);
      if (j == 0 && (overlong || beyond)) return "is not UTF-8";
    }
  }
  return nullptr;
}

}  // namespace

TenantId TraceBuilder::tenant(std::string_view name) {
  // Traces with tenants mostly repeat the last one, so look there first.
  if (!tenant_names_.empty() && tenant_names_[index(last_tenant_)] == name) return last_tenant_;
  if (const char* fault = fault_of_name(name)) lines_.refuse("tenant", fault);
  const auto next = static_cast<TenantId>(tenant_names_.size());
  const auto [at, fresh] = tenant_ids_.try_emplace(std::string(name), next);
  if (fresh) tenant_names_.emplace_back(name);
  last_tenant_ = at->second;
  return last_tenant_;
}

std::uint32_t TraceBuilder::session(std::string_view name) {
  if (name.empty()) return 0;
  const auto next = static_cast<std::uint32_t>(session_numbers_.size()) + 1;
  return session_numbers_.try_emplace(std::string(name), next).first->second;
}

void TraceBuilder::check_sequences(const TraceRow& row) const {
  const auto at_most = [&](const std::optional<std::int32_t>& most, const char* name) {
    if (most && row.n > *most) {
      lines_.refuse("n", fmt::format("{} is more than {} ({})", row.n, name, *most));
    }
  };
  at_most(row.best_of, "best_of");
  at_most(row.beam_width, "beam_width");
  if (row.outputs.empty()) return;
  TraceRequest asked;
  asked.n = row.n;
  asked.best_of = row.best_of;
  asked.beam_width = row.beam_width;
  if (asked.beam_search() || asked.width() == 1) {
    lines_.refuse("output_tokens",
                  fmt::format("a list is for parallel samples (n or best_of above 1), {}",
                              asked.beam_search() ? "not for beams" : "there is one sequence"));
  }
  if (std::cmp_not_equal(row.outputs.size(), asked.width())) {
    lines_.refuse("output_tokens", fmt::format("the list has {} entries, the request {} sequences",
                                               row.outputs.size(), asked.width()));
  }
}

void TraceBuilder::check_prompt(const TraceRow& row) const {
  if (row.block_hashes && row.prompt_token_ids) {
    lines_.refuse("prompt_token_ids", "a request has these or block_hashes, not both");
  }
  if (row.block_hashes) {
    if (trace_.block_tokens == 0) {
      lines_.refuse("block_hashes", "need block_tokens in the meta object of the first line");
    }
    const std::int64_t blocks = (row.input_tokens + trace_.block_tokens - 1) / trace_.block_tokens;
    if (std::cmp_greater(row.block_hashes->size(), blocks)) {
      lines_.refuse(
          "block_hashes",
          fmt::format("{} hashes are more than {} tokens have blocks of {} ({})",
                      row.block_hashes->size(), row.input_tokens, trace_.block_tokens, blocks));
    }
  }
  if (row.prompt_token_ids && std::cmp_not_equal(row.prompt_token_ids->size(), row.input_tokens)) {
    lines_.refuse("prompt_token_ids",
                  fmt::format("{} ids are not the prompt's {} tokens (input_tokens)",
                              row.prompt_token_ids->size(), row.input_tokens));
  }
}

void TraceBuilder::add(const TraceRow& row) {
  const std::int64_t number = row.number.value_or(trace_.counts.read);
  ++trace_.counts.read;
  if (number == std::numeric_limits<std::uint32_t>::max()) {
    lines_.refuse("", "the trace has more than 4,294,967,295 rows");
  }
  if (row.arrival_given) {
    if (!any_arrival_ || row.arrival_ns < earliest_) earliest_ = row.arrival_ns;
    if (any_arrival_ && row.arrival_ns < previous_) ++trace_.counts.unsorted;
    previous_ = row.arrival_ns;
    any_arrival_ = true;
  }

  if (ids_ == Ids::checked) {
    if (row.label) {
      check_label(*row.label, number);
    } else if (!row_numbers_) {
      check_label(fmt::format_int(number).str(), number);
    }
  } else if (ids_ == Ids::trusted && row.label) {
    check_label_text(*row.label);
  }

  std::int64_t input = row.input_tokens;
  std::int64_t output = row.output_tokens;
  if (input == 0 || output == 0) {
    if (zero_ == ZeroTokens::error) {
      lines_.refuse(input == 0 ? "input tokens" : "output tokens", "is zero");
    }
    if (zero_ == ZeroTokens::drop) {
      ++zero_rows_;
      return;
    }
    ++trace_.counts.clamped;
    input = std::max<std::int64_t>(input, 1);
    output = std::max<std::int64_t>(output, 1);
  }
  if (row.max_tokens && output > *row.max_tokens) {
    lines_.refuse("output_tokens",
                  fmt::format("{} is more than max_tokens ({})", output, *row.max_tokens));
  }
  check_sequences(row);
  check_prompt(row);

  const TenantId owner = tenant(row.tenant);
  TraceOptions options;
  options.max_tokens = row.max_tokens;
  options.predicted_output_tokens = row.predicted_output_tokens;
  options.priority = row.priority;
  options.cancel_after = row.cancel_after;
  options.n = row.n;
  options.best_of = row.best_of;
  options.beam_width = row.beam_width;
  options.outputs = trace_.outputs.add(row.outputs);
  if (row.block_hashes) options.block_hashes = trace_.block_hashes.add(*row.block_hashes);
  if (row.prompt_token_ids) {
    options.prompt_token_ids = trace_.prompt_token_ids.add(*row.prompt_token_ids);
  }
  options.delay = row.delay;
  options.arrival_given = row.arrival_given;
  options.session = session(row.session);
  options.details = trace_.details.add(row.details);
  if (!row.parents.empty()) keep_parents(row);
  trace_.requests.push_back(label_number(row, number), kOrigin + Duration(row.arrival_ns), input,
                            output, owner, options);
  latest_kept_ = kept_ == 0 ? row.arrival_ns : std::max(latest_kept_, row.arrival_ns);
  ++kept_;
}

void TraceBuilder::keep_parents(const TraceRow& row) {
  waiting_rows_.push_back({trace_.requests.size(), lines_.number(),
                           std::vector<std::string>(row.parents.begin(), row.parents.end())});
}

/// In the pool that the table will be given: one of all rows, or one of the block's requests.
std::uint32_t TraceBuilder::label_number(const TraceRow& row, std::int64_t number) {
  if (ids_ == Ids::checked || !row.label) return static_cast<std::uint32_t>(number);
  block_labels_.add(*row.label);
  return static_cast<std::uint32_t>(block_labels_.size() - 1);
}

void TraceBuilder::check_label_text(std::string_view label) const {
  if (label.empty()) lines_.refuse("id", "is empty");
  if (const char* fault = fault_of_name(label)) lines_.refuse("id", fault);
}

/// Refuses an id that no format allows or that was there before. Ids that only number the rows,
/// the commonest, need no set; once another comes, all before it go into one.
void TraceBuilder::check_label(std::string_view label, std::int64_t row) {
  if (row_numbers_) {
    const fmt::format_int number(row);
    if (label == std::string_view(number.data(), number.size())) return;
    row_numbers_ = false;
    for (std::int64_t before = 0; before < row; ++before) {
      labels_.insert(fmt::format_int(before).str());
    }
  }
  check_label_text(label);
  if (!labels_.insert(label)) {
    lines_.refuse("id", fmt::format("'{}' is a duplicate", printable(label)));
  }
}

void TraceBuilder::check_whole(std::int64_t origin_ns) {
  if (kept_ == 0) {
    lines_.refuse("", trace_.counts.read == 0
                          ? std::string("the trace has no request")
                          : fmt::format("the trace has no request left: {} of {} rows have {}",
                                        zero_rows_, trace_.counts.read, kZeroTokens));
  }
  if (latest_kept_ - origin_ns > kLongest.count()) {
    lines_.refuse("", "the trace is longer than 100 years");
  }
  if (zero_rows_ > 0) trace_.counts.dropped.push_back({std::string(kZeroTokens), zero_rows_});
  trace_.counts.kept = kept_;
}

Trace TraceBuilder::finish(std::int64_t origin_ns) {
  check_whole(origin_ns);
  RequestTable& requests = trace_.requests;
  if (origin_ns != 0) {
    for (std::size_t i = 0; i < requests.size(); ++i) {
      requests.set_arrival(i, requests.arrival(i) - Duration(origin_ns));
    }
  }
  requests.set_labels(ids_ == Ids::checked ? labels_.take_labels()
                                           : std::exchange(block_labels_, {}));
  if (waits()) link_parents(trace_, waiting_rows_, lines_.path());
  trace_.tenants = std::move(tenant_names_);
  settle(trace_);
  return std::move(trace_);
}

Trace TraceBuilder::take_block() {
  Trace block;
  block.block_tokens = trace_.block_tokens;
  std::swap(block.requests, trace_.requests);
  std::swap(block.outputs, trace_.outputs);
  std::swap(block.block_hashes, trace_.block_hashes);
  std::swap(block.prompt_token_ids, trace_.prompt_token_ids);
  std::swap(block.details, trace_.details);
  block.requests.set_labels(std::exchange(block_labels_, {}));
  return block;
}

namespace {

/// In the order of their first requests.
void renumber_sessions(Trace& trace) {
  std::uint32_t next = 0;
  std::vector<std::uint32_t> renumbered;
  for (TraceOptions& options : trace.requests.all_options()) {
    if (options.session == 0) continue;
    if (renumbered.size() <= options.session) renumbered.resize(options.session + 1, 0);
    std::uint32_t& fresh = renumbered[options.session];
    if (fresh == 0) fresh = ++next;
    options.session = fresh;
  }
}

}  // namespace

void settle(Trace& trace) {
  RequestTable& requests = trace.requests;
  sort_requests(trace);
  constexpr auto kUnseen = static_cast<TenantId>(std::numeric_limits<std::uint32_t>::max());
  std::vector<TenantId> renumbered(trace.tenants.size(), kUnseen);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const TenantId before = requests.tenant(i);
    TenantId& fresh = renumbered[index(before)];
    if (fresh == kUnseen) {
      fresh = static_cast<TenantId>(names.size());
      names.push_back(std::move(trace.tenants[index(before)]));
    }
    if (fresh != before) requests.set_tenant(i, fresh);
  }
  trace.tenants = std::move(names);
  renumber_sessions(trace);
  trace.outputs.repack(requests.all_options(), &TraceOptions::outputs);
  trace.block_hashes.repack(requests.all_options(), &TraceOptions::block_hashes);
  trace.prompt_token_ids.repack(requests.all_options(), &TraceOptions::prompt_token_ids);
  trace.parents.repack(requests.all_options(), &TraceOptions::parents);
  trace.details.repack(requests.all_options(), &TraceOptions::details);
  trace.counts.kept = static_cast<std::int64_t>(requests.size());
  trace.digest = digest_of(trace);
}

}  // namespace tokenyard
