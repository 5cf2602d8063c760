#include "traces/generate.hpp"

#include <fmt/format.h>

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "sim/kernel/rng.hpp"
#include "traces/arrivals.hpp"
#include "traces/lengths.hpp"
#include "traces/request_extras.hpp"
#include "traces/sessions.hpp"
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

/// The sessions that the plan names, or nullptr.
std::unique_ptr<Sessions> sessions_of(const WorkloadPlan& plan, const ArrivalProcess& arrivals,
                                      const LengthSource* lengths) {
  if (plan.sessions.empty()) return nullptr;
  auto sessions = make_sessions(plan.sessions);
  if (arrivals.is_closed()) {
    throw InputError("sessions: each begins with an arrival, and a closed loop has none");
  }
  if (lengths == nullptr) throw InputError("sessions: need --lengths, of a message and its answer");
  return sessions;
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
        sessions_(sessions_of(plan, *arrivals_, lengths_.get())),
        stream_(arrivals_->begin(seed)) {
    if (plan_.requests > 0) trace_.requests.reserve(static_cast<std::size_t>(plan_.requests));
    if (extras_.prefix() != nullptr) trace_.block_tokens = extras_.prefix()->tokens();
    if (sessions_ && sessions_->block_tokens() > 0) set_block_tokens();
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

  /// Of a prefix before sessions too.
  void set_block_tokens() {
    const std::int64_t block_tokens = sessions_->block_tokens();
    const SharedPrefix* const prefix = extras_.prefix();
    if (prefix != nullptr && prefix->tokens() % block_tokens != 0) {
      throw InputError(
          fmt::format("prefix {}: its {} tokens are no multiple of the sessions' "
                      "block_tokens ({})",
                      plan_.prefix, prefix->tokens(), block_tokens));
    }
    trace_.block_tokens = block_tokens;
  }

  void check_count() const {
    if (drawn_ == kMostRequests) {
      throw InputError(fmt::format("more than {} requests are drawn", kMostRequests));
    }
  }

  [[noreturn]] void refuse_late() const {
    throw InputError(fmt::format("arrivals {}: request {} would arrive after more than 100 years",
                                 plan_.arrivals, drawn_));
  }

  /// A request of a closed loop.
  bool draw_closed(const DrawnArrival& arrival) {
    if (plan_.duration_s) {
      throw InputError(
          fmt::format("arrivals {}: how long a closed loop takes is known when it is "
                      "run; give requests, and no duration",
                      plan_.arrivals));
    }
    check_count();
    const Sent sent = arrival.after ? after(*arrival.after, arrival.think_s)
                                    : Sent{kOrigin + scaled_time(arrival.think_s), {}, {}};
    keep(arrival, sent);
    return true;
  }

  /// False at the end of the time.
  bool draw_next() {
    DrawnArrival arrival;
    if (!stream_->next(arrival)) {
      if (plan_.duration_s) return false;
      throw InputError(fmt::format("arrivals {}: end after {} requests", plan_.arrivals,
                                   trace_.requests.size()));
    }
    if (arrivals_->is_closed()) return draw_closed(arrival);
    const double at_s = to_seconds(arrival.at - kOrigin) / plan_.scale_rate;
    if (plan_.duration_s && (arrival.at == kNever || at_s > *plan_.duration_s)) return false;
    if (arrival.at == kNever || at_s > to_seconds(kLongest)) refuse_late();
    if (plan_.scale_rate != 1) arrival.at = kOrigin + from_seconds(at_s);
    check_count();
    if (sessions_) {
      keep_session(arrival);
    } else {
      keep(arrival, {arrival.at, {}, {}});
    }
    return true;
  }

  /// When a request is sent.
  struct Sent {
    Time at;                             ///< if requests took no time
    std::optional<std::uint64_t> after;  ///< the end of this request
    Duration delay{};                    ///< from then on
  };

  Duration scaled_time(double seconds) const {
    const double scaled = seconds / plan_.scale_rate;
    if (!(scaled <= to_seconds(kLongest))) refuse_late();
    return from_seconds(scaled);
  }

  Sent after(std::uint64_t parent, double think_s) const {
    const Duration delay = scaled_time(think_s);
    const Time at = trace_.requests.arrival(parent) + delay;
    if (at - kOrigin > kLongest) refuse_late();
    return {at, parent, delay};
  }

  /// A session's turns, as many as are wanted.
  void keep_session(const DrawnArrival& arrival) {
    const std::uint64_t session = session_++;
    std::optional<std::int64_t> prefix;
    if (extras_.prefix() != nullptr) prefix = extras_.prefix()->draw(seed_, session);
    Conversation talk(*sessions_, seed_, session, prefix, prefix ? extras_.prefix()->tokens() : 0);
    const std::int64_t turns = sessions_->draw_turns(seed_, session);
    const std::string_view tenant = extras_.draw_tenant(seed_, session).value_or(arrival.tenant);
    Sent sent{arrival.at, {}, {}};
    for (std::int64_t turn = 0; turn < turns && wants_more(); ++turn) {
      check_count();
      const auto number = static_cast<std::uint64_t>(drawn_);
      const Lengths lengths = draw_lengths(number);
      if (!talk.has_room_for(lengths)) return;
      if (turn > 0) sent = after(number - 1, sessions_->draw_think_s(seed_, number));
      TraceOptions options;
      extras_.draw_width(seed_, number, options);
      const std::int64_t prompt = talk.say(lengths);
      options.block_hashes = trace_.block_hashes.add(
          sessions_->block_tokens() > 0 || !prefix ? talk.block_names() : std::span(&*prefix, 1));
      options.session = static_cast<std::uint32_t>(session + 1);
      options.details =
          trace_.details.add(fmt::format(R"("session_id":"{}","turn":{})", session, turn));
      add({prompt, lengths.output}, sent, tenant, options);
    }
  }

  Lengths draw_lengths(std::uint64_t number) const {
    Rng rng = named_stream(seed_, "lengths", number);
    const Lengths lengths = lengths_->draw(rng);
    return {scaled_tokens(lengths.prompt, plan_.scale_lengths),
            scaled_tokens(lengths.output, plan_.scale_lengths)};
  }

  /// The next request that is drawn, sent as said.
  void add(Lengths lengths, const Sent& sent, std::string_view tenant, TraceOptions& options) {
    if (sent.after) {
      options.parents = trace_.parents.add(std::span(&*sent.after, 1));
      options.delay = sent.delay;
      options.arrival_given = false;
    }
    trace_.requests.push_back(static_cast<std::uint32_t>(drawn_++), sent.at, lengths.prompt,
                              lengths.output, tenant_id(tenant), options);
  }

  void keep(const DrawnArrival& arrival, const Sent& sent) {
    const auto number = static_cast<std::uint64_t>(drawn_);
    Lengths lengths;
    if (lengths_) {
      lengths = draw_lengths(number);
    } else if (!arrival.lengths) {
      ++dropped_[std::string(arrival.without_lengths)];
      ++drawn_;
      return;
    } else if (arrival.lengths->prompt == 0 || arrival.lengths->output == 0) {
      ++dropped_["zero tokens"];
      ++drawn_;
      return;
    } else {
      lengths = {scaled_tokens(arrival.lengths->prompt, plan_.scale_lengths),
                 scaled_tokens(arrival.lengths->output, plan_.scale_lengths)};
    }
    TraceOptions options;
    std::string_view tenant = arrival.tenant;
    if (extras_.any()) {
      extras_.draw_width(seed_, number, options);
      tenant = extras_.draw_tenant(seed_, number).value_or(tenant);
      add_prefix(number, lengths, options);
    }
    add(lengths, sent, tenant, options);
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
  std::unique_ptr<Sessions> sessions_;
  std::unique_ptr<ArrivalStream> stream_;
  Trace trace_;
  std::map<std::string, TenantId> tenants_;
  TenantId last_tenant_{};
  std::map<std::string, std::int64_t> dropped_;
  std::int64_t drawn_ = 0;
  std::uint64_t session_ = 0;
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
  std::unique_ptr<LengthSource> lengths;
  if (arrivals) check("lengths", [&] { lengths = lengths_of(plan, *arrivals); });
  if (arrivals) check("sessions", [&] { sessions_of(plan, *arrivals, lengths.get()); });
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
