#include "experiments/record/requests_csv.hpp"

#include <fmt/format.h>

#include "sim/kernel/invariant.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

namespace {

constexpr std::string_view kHeader =
    "request_id,arrival_s,prompt_tokens,output_tokens,status,first_scheduled_s,first_token_s,"
    "finish_s,jct_s,ttft_s,tpot_s,normalized_latency_s,queue_s,prefill_s,decode_s,preempted_s,"
    "swap_s,preemptions,swaps_out,swaps_in,recomputed_tokens,tenant,priority,replica,"
    "width,sequence_tokens,cached_tokens";

void time_cell(TextBuffer& out, Time time) {
  if (time != kNever) out.seconds(time - kOrigin);
  out.text(",");
}

}  // namespace

std::string_view status_name(End end) {
  switch (end) {
    case End::finished:
      return "finished";
    case End::rejected:
      return "rejected";
    case End::cancelled:
      return "cancelled";
  }
  break_invariant("I4 a request lives and ends once", "an unknown end");
}

std::string_view phase_name(Phase phase) {
  constexpr std::string_view kNames[kPhases] = {"queue", "prefill", "decode", "preempted", "swap"};
  return kNames[static_cast<std::size_t>(phase)];
}

Duration divide_rounded(Duration total, std::int64_t count) {
  return Duration((total.count() + count / 2) / count);
}

RequestsCsv::RequestsCsv(std::ostream& out, const std::string& name, RequestNames names)
    : out_(out, name), names_(std::move(names)) {
  for (const std::string& tenant : names_.tenants) tenant_cells_.push_back(csv_field(tenant));
  out_.text(kHeader).text(names_.token_digests != nullptr ? ",tokens_digest" : "").end_line();
}

void RequestsCsv::name_cell(RequestId id) {
  const std::string label = names_.requests ? names_.requests(id) : std::string();
  if (label.empty()) {
    out_.integer(static_cast<std::int64_t>(index(id)));
  } else {
    out_.text(csv_field(label));
  }
}

/// jct_s, ttft_s, tpot_s, normalized_latency_s and the five parts.
void RequestsCsv::duration_cells(const RequestFacts& facts) {
  if (facts.end == End::rejected) {
    out_.text(",,,,,,,,,");
    return;
  }
  const Duration jct = facts.ended - facts.request.arrival;
  out_.seconds(jct).text(",");
  if (facts.first_token != kNever) out_.seconds(facts.first_token - facts.request.arrival);
  out_.text(",");
  const bool finished = facts.end == End::finished;
  if (finished && facts.output_tokens >= 2) {
    out_.seconds(divide_rounded(facts.ended - facts.first_token, facts.output_tokens - 1));
  }
  out_.text(",");
  if (finished && facts.output_tokens >= 1) {
    out_.seconds(divide_rounded(jct, facts.output_tokens));
  }
  out_.text(",");
  for (const Duration part : facts.phases) out_.seconds(part).text(",");
}

void RequestsCsv::add(const RequestFacts& facts) {
  const Request& request = facts.request;
  name_cell(request.id);
  out_.text(",").seconds(request.arrival - kOrigin).text(",");
  out_.integer(request.prompt_tokens).text(",").integer(facts.output_tokens).text(",");
  out_.text(status_name(facts.end)).text(",");
  const bool rejected = facts.end == End::rejected;
  time_cell(out_, rejected ? kNever : facts.first_scheduled);
  time_cell(out_, rejected ? kNever : facts.first_token);
  time_cell(out_, facts.ended);
  duration_cells(facts);
  out_.integer(facts.preemptions).text(",").integer(facts.swaps_out).text(",");
  out_.integer(facts.swaps_in).text(",").integer(facts.recomputed_tokens).text(",");
  if (const std::size_t tenant = index(request.tenant); tenant < tenant_cells_.size()) {
    out_.text(tenant_cells_[tenant]);
  }
  out_.text(",").integer(request.priority).text(",");
  out_.integer(static_cast<std::int64_t>(index(facts.replica))).text(",");
  out_.integer(request.width).text(",");
  out_.integer(facts.sequence_tokens).text(",").integer(facts.cached_tokens);
  if (names_.token_digests != nullptr) digest_cell(request.id);
  out_.end_line();
}

void RequestsCsv::digest_cell(RequestId id) {
  const auto& digests = *names_.token_digests;
  const std::uint64_t digest = index(id) < digests.size() ? digests[index(id)] : 0;
  out_.text(",");
  if (digest != 0) out_.text(fmt::format("{:016x}", digest));
}

void RequestsCsv::finish() {
  out_.flush();
}

}  // namespace tokenyard
