#include "traces/generate.hpp"

#include <fmt/format.h>

#include <limits>

#include "sim/kernel/input_error.hpp"
#include "sim/kernel/rng.hpp"
#include "sim/kernel/strict_json.hpp"
#include "sim/kernel/text.hpp"
#include "traces/arrivals.hpp"
#include "traces/lengths.hpp"
#include "traces/line_reader.hpp"
#include "traces/trace_builder.hpp"
#include "traces/writer.hpp"

namespace tokenyard {

bool is_workload_plan(const std::string& trace) {
  if (trace.starts_with('{')) return true;
  if (!trace.ends_with(".json")) return false;
  try {
    LineReader lines(trace);
    const auto line = lines.next();
    return !line || line->substr(line->find_first_not_of(" \t")).front() != '[';
  } catch (const InputError&) {
    return true;  // reading the plan will say what is wrong
  }
}

JsonObject open_workload_plan(const std::string& trace) {
  return trace.starts_with('{') ? JsonFile::parse(trace, "workload plan") : JsonFile::read(trace);
}

WorkloadPlan read_workload_plan(const std::string& trace) {
  return workload_plan(open_workload_plan(trace));
}

WorkloadPlan workload_plan(const JsonObject& json) {
  WorkloadPlan plan;
  plan.requests = json.integer("requests", 1, kMostRequests);
  plan.arrivals = json.string("arrivals");
  plan.lengths = json.string("lengths");
  if (json.has("seed")) {
    plan.seed = static_cast<std::uint64_t>(
        json.integer("seed", 0, std::numeric_limits<std::int64_t>::max()));
  }
  json.refuse_unread();
  const auto check = [&json](std::string_view key, auto make, const std::string& spec) {
    try {
      make(spec);
    } catch (const InputError& error) {
      json.refuse(key, error.what());
    }
  };
  check("arrivals", make_arrivals, plan.arrivals);
  check("lengths", make_lengths, plan.lengths);
  return plan;
}

Trace generate(const WorkloadPlan& plan, std::uint64_t seed) {
  if (plan.requests < 1 || plan.requests > kMostRequests) {
    throw InputError(fmt::format("requests: {} is not in 1 … {}", plan.requests, kMostRequests));
  }
  const auto arrivals = make_arrivals(plan.arrivals);
  const auto lengths = make_lengths(plan.lengths);
  Trace trace;
  trace.requests.reserve(static_cast<std::size_t>(plan.requests));
  Time arrival = kOrigin;
  for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(plan.requests); ++i) {
    const double gap_s = arrivals->gap_s(seed, i);
    if (!(gap_s <= to_seconds(kLongest)) || arrival - kOrigin + from_seconds(gap_s) > kLongest) {
      throw InputError(fmt::format("arrivals {}: request {} would arrive after more than 100 years",
                                   plan.arrivals, i));
    }
    arrival += from_seconds(gap_s);
    Rng rng = named_stream(seed, "lengths", i);
    const Lengths drawn = lengths->draw(rng);
    trace.requests.push_back(static_cast<std::uint32_t>(i), arrival, drawn.prompt, drawn.output);
  }
  trace.name = fmt::format("{} {} {}", plan.requests, plan.arrivals, plan.lengths);
  trace.meta = fmt::format(R"({{"requests":{},"arrivals":{},"lengths":{},"seed":{}}})",
                           plan.requests, json_text(plan.arrivals), json_text(plan.lengths), seed);
  trace.counts.read = plan.requests;
  settle(trace);
  return trace;
}

}  // namespace tokenyard
