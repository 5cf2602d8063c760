#include "experiments/record/requests_csv.hpp"

#include "experiments/record/text_buffer.hpp"
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

/// jct_s, ttft_s, tpot_s, normalized_latency_s and the five parts.
void duration_cells(TextBuffer& out, const RequestFacts& facts) {
  if (facts.end == End::rejected) {
    out.text(",,,,,,,,,");
    return;
  }
  const Duration jct = facts.ended - facts.request.arrival;
  out.seconds(jct).text(",");
  if (facts.first_token != kNever) out.seconds(facts.first_token - facts.request.arrival);
  out.text(",");
  const bool finished = facts.end == End::finished;
  if (finished && facts.output_tokens >= 2) {
    out.seconds(divide_rounded(facts.ended - facts.first_token, facts.output_tokens - 1));
  }
  out.text(",");
  if (finished && facts.output_tokens >= 1) {
    out.seconds(divide_rounded(jct, facts.output_tokens));
  }
  out.text(",");
  for (const Duration part : facts.phases) out.seconds(part).text(",");
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

Duration divide_rounded(Duration total, std::int64_t count) {
  return Duration((total.count() + count / 2) / count);
}

void write_requests_csv(std::ostream& out, const std::string& name,
                        std::span<const RequestFacts> requests, const RequestNames& names) {
  TextBuffer buffer(out, name);
  buffer.text(kHeader).end_line();
  for (const RequestFacts& facts : requests) {
    const Request& request = facts.request;
    const std::size_t id = index(request.id);
    if (id < names.requests.size() && !names.requests[id].empty()) {
      buffer.text(csv_field(names.requests[id]));
    } else {
      buffer.integer(static_cast<std::int64_t>(id));
    }
    buffer.text(",").seconds(request.arrival - kOrigin).text(",");
    buffer.integer(request.prompt_tokens).text(",").integer(facts.output_tokens).text(",");
    buffer.text(status_name(facts.end)).text(",");
    const bool rejected = facts.end == End::rejected;
    time_cell(buffer, rejected ? kNever : facts.first_scheduled);
    time_cell(buffer, rejected ? kNever : facts.first_token);
    time_cell(buffer, facts.ended);
    duration_cells(buffer, facts);
    buffer.integer(facts.preemptions).text(",").integer(facts.swaps_out).text(",");
    buffer.integer(facts.swaps_in).text(",").integer(facts.recomputed_tokens).text(",");
    if (const std::size_t tenant = index(request.tenant); tenant < names.tenants.size()) {
      buffer.text(csv_field(names.tenants[tenant]));
    }
    buffer.text(",").integer(request.priority).text(",0,").integer(request.width).text(",");
    buffer.integer(facts.sequence_tokens).text(",").integer(facts.cached_tokens).end_line();
  }
  buffer.flush();
}

}  // namespace tokenyard
