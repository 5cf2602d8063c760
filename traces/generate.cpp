#include "traces/generate.hpp"

#include <fmt/format.h>

#include <map>
#include <memory>
#include <string>

#include "sim/kernel/rng.hpp"
#include "traces/arrivals.hpp"
#include "traces/lengths.hpp"
#include "traces/request_extras.hpp"
#include "traces/trace_builder.hpp"
#include "traces/transform.hpp"

namespace tokenyard {

namespace {

/// The lengths that the plan names, or nullptr: the arrivals bring them.
std::unique_ptr<LengthSource> lengths_of(const WorkloadPlan& plan, const ArrivalProcess& arrivals) {
  auto lengths = plan.lengths.empty() ? nullptr : make_lengths(plan.lengths);
  if (!lengths && !arrivals.draws_lengths()) {
    throw InputError(plan.lengths.empty()
                         ? std::string("lengths: is required")
                         : fmt::format("lengths {}: need arrivals that bring them", plan.lengths));
  }
  return lengths;
}

/// One drawing of a plan.
class Drawing {
 public:
  Drawing(const WorkloadPlan& plan, std::uint64_t seed)
      : plan_(plan),
        seed_(seed),
        arrivals_(make_arrivals(plan.arrivals)),
        lengths_(lengths_of(plan, *arrivals_)),
        extras_(plan),
        stream_(arrivals_->begin(seed)) {
    if (plan_.requests > 0) trace_.requests.reserve(static_cast<std::size_t>(plan_.requests));
    if (extras_.prefix() != nullptr) trace_.block_tokens = extras_.prefix()->tokens();
    trace_.tenants.clear();
  }

  Trace draw() {
    while (wants_more() && draw_next()) {
    }
    if (trace_.requests.empty()) {
      throw InputError(fmt::format("arrivals {}: no request in the time given", plan_.arrivals));
    }
    for (auto& [reason, rows] : dropped_) trace_.counts.dropped.push_back({reason, rows});
    trace_.counts.read = drawn_;
    return std::move(trace_);
  }

 private:
  bool wants_more() const {
    return plan_.requests == 0 || std::cmp_less(trace_.requests.size(), plan_.requests);
  }

  /// False at the end of the time.
  bool draw_next() {
    DrawnArrival arrival;
    if (!stream_->next(arrival)) {
      if (plan_.duration_s) return false;
      throw InputError(fmt::format("arrivals {}: end after {} requests", plan_.arrivals,
                                   trace_.requests.size()));
    }
    const double at_s = to_seconds(arrival.at - kOrigin) / plan_.scale_rate;
    if (plan_.duration_s && (arrival.at == kNever || at_s > *plan_.duration_s)) return false;
    if (arrival.at == kNever || at_s > to_seconds(kLongest)) {
      throw InputError(fmt::format("arrivals {}: request {} would arrive after more than 100 years",
                                   plan_.arrivals, drawn_));
    }
    if (drawn_ == kMostRequests) {
      throw InputError(fmt::format("more than {} requests are drawn", kMostRequests));
    }
    if (plan_.scale_rate != 1) arrival.at = kOrigin + from_seconds(at_s);
    keep(arrival, static_cast<std::uint64_t>(drawn_));
    ++drawn_;
    return true;
  }

  void keep(const DrawnArrival& arrival, std::uint64_t number) {
    Lengths lengths;
    if (lengths_) {
      Rng rng = named_stream(seed_, "lengths", number);
      lengths = lengths_->draw(rng);
    } else if (!arrival.lengths) {
      ++dropped_[std::string(arrival.without_lengths)];
      return;
    } else if (arrival.lengths->prompt == 0 || arrival.lengths->output == 0) {
      ++dropped_["zero tokens"];
      return;
    } else {
      lengths = *arrival.lengths;
    }
    lengths.prompt = scaled_tokens(lengths.prompt, plan_.scale_lengths);
    lengths.output = scaled_tokens(lengths.output, plan_.scale_lengths);
    TraceOptions options;
    std::string_view tenant = arrival.tenant;
    if (extras_.any()) {
      extras_.draw_width(seed_, number, options);
      tenant = extras_.draw_tenant(seed_, number).value_or(tenant);
      add_prefix(number, lengths, options);
    }
    trace_.requests.push_back(static_cast<std::uint32_t>(number), arrival.at, lengths.prompt,
                              lengths.output, tenant_id(tenant), options);
  }

  void add_prefix(std::uint64_t number, Lengths& lengths, TraceOptions& options) {
    const SharedPrefix* prefix = extras_.prefix();
    if (prefix == nullptr) return;
    const auto name = prefix->draw(seed_, number);
    if (!name) return;
    lengths.prompt = std::min(lengths.prompt + prefix->tokens(), kMostTokens);
    options.block_hashes = trace_.block_hashes.add(std::span<const std::int64_t>(&*name, 1));
  }

  TenantId tenant_id(std::string_view name) {
    // Mostly the last one again.
    if (!trace_.tenants.empty() && trace_.tenants[index(last_tenant_)] == name) return last_tenant_;
    const auto next = static_cast<TenantId>(trace_.tenants.size());
    const auto [at, fresh] = tenants_.try_emplace(std::string(name), next);
    if (fresh) trace_.tenants.emplace_back(name);
    last_tenant_ = at->second;
    return last_tenant_;
  }

  const WorkloadPlan& plan_;
  std::uint64_t seed_;
  std::unique_ptr<ArrivalProcess> arrivals_;
  std::unique_ptr<LengthSource> lengths_;
  RequestExtras extras_;
  std::unique_ptr<ArrivalStream> stream_;
  Trace trace_;
  std::map<std::string, TenantId> tenants_;
  TenantId last_tenant_{};
  std::map<std::string, std::int64_t> dropped_;
  std::int64_t drawn_ = 0;
};

}  // namespace

Trace generate(const WorkloadPlan& plan, std::uint64_t seed) {
  const bool bounded = plan.requests == 0 && plan.duration_s;
  if (!bounded && (plan.requests < 1 || plan.requests > kMostRequests)) {
    throw InputError(fmt::format("requests: {} is not in 1 … {}", plan.requests, kMostRequests));
  }
  Trace trace = Drawing(plan, seed).draw();
  trace.name = fmt::format("{} {} {}", trace.requests.size(), plan.arrivals, plan.lengths);
  trace.meta = open_plan_json(plan) + fmt::format(R"(,"seed":{})", seed);
  if (trace.block_tokens > 0) {
    trace.meta += fmt::format(R"(,"block_tokens":{})", trace.block_tokens);
  }
  trace.meta += '}';
  settle(trace);
  return trace;
}

void check_workload_plan(
    const WorkloadPlan& plan,
    const std::function<void(std::string_view key, const InputError& error)>& refuse) {
  const auto check = [&refuse](std::string_view key, auto make) {
    try {
      make();
    } catch (const InputError& error) {
      refuse(key, error);
    }
  };
  std::unique_ptr<ArrivalProcess> arrivals;
  check("arrivals", [&] { arrivals = make_arrivals(plan.arrivals); });
  if (arrivals) check("lengths", [&] { lengths_of(plan, *arrivals); });
  // (A lambda cannot capture the name of a part in clang before 16.)
  for (const auto& part :
       {std::pair("n", &WorkloadPlan::n), std::pair("best_of", &WorkloadPlan::best_of),
        std::pair("beam_width", &WorkloadPlan::beam_width),
        std::pair("tenants", &WorkloadPlan::tenants), std::pair("prefix", &WorkloadPlan::prefix)}) {
    const auto text = part.second;
    if ((plan.*text).empty()) continue;
    check(part.first, [&] {
      WorkloadPlan one;
      one.n = plan.n;
      one.*text = plan.*text;
      RequestExtras extras(one);
    });
  }
}

}  // namespace tokenyard
