#include "experiments/capacity/capacity.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "experiments/cli/progress.hpp"
#include "experiments/named_system.hpp"
#include "sim/kernel/input_error.hpp"
#include "sim/kernel/text.hpp"
#include "traces/generate.hpp"

namespace tokenyard {

namespace {

/// Beyond so many times the saturated throughput, or below its inverse, nothing changes any more.
constexpr double kFarthest = 1024;
/// For the progress line: about so many rates are measured for a policy.
constexpr std::int64_t kUsualPoints = 18;

void set(std::vector<GivenSetting>& settings, const std::string& name, const std::string& value) {
  std::erase_if(settings, [&](const GivenSetting& given) { return given.name == name; });
  settings.push_back({name, value, "--" + name});
}

/// Whether each seed has requests of its own: those of a workload plan, or a resample.
bool is_drawn(const RunPlan& run) {
  return is_workload_plan(run.trace) ||
         std::ranges::any_of(run.settings,
                             [](const GivenSetting& each) { return each.name == "resample"; });
}

/// The plan with as many requests and seeds as the search asks for.
RunPlan sized(const CapacityPlan& plan) {
  RunPlan run = plan.run;
  if (!is_workload_plan(run.trace)) {
    if (!is_drawn(run)) run.repeat = 1;
    if (plan.requests) set(run.settings, "limit", fmt::to_string(*plan.requests));
    return run;
  }
  constexpr std::int64_t kSteady = 10'000;
  WorkloadPlan workload = read_workload_plan(run.trace);
  workload.requests = plan.requests.value_or(plan.terminating ? workload.requests : kSteady);
  if (workload.requests > 0) workload.duration_s.reset();
  run.seed = run.seed.value_or(workload.seed.value_or(1));
  run.trace = open_plan_json(workload) + "}";
  return run;
}

/// The search for one policy.
class Search {
 public:
  /// `run` is of one policy under one system at most.
  Search(const CapacityPlan& plan, RunPlan run, std::string series, Progress* progress)
      : plan_(plan), run_(std::move(run)) {
    share_.progress = progress;
    run_.quiet = true;
    found_.series = std::move(series);
    for (const Slo& rule : plan.rules) {
      if (rule.bounds) run_.latency_bounds.push_back(*rule.bounds);
    }
    constexpr double kFirstCounted = 0.2, kLastCounted = 0.95;
    if (!plan.terminating && !plan.has_warmup) run_.counted = {kFirstCounted, kLastCounted};
  }

  Capacity search(std::vector<std::string>& notes) {
    saturated_ = saturated_throughput();
    bracket();
    if (const auto first = first_failing(&MeasuredPoint::estimated); first > 0) {
      bisect(&MeasuredPoint::estimated);
      settle();
    } else {
      found_.reason = fmt::format("never met: {}", failure(found_.points.front()));
    }
    found_.policy = found_.summaries.front().key.policy;
    found_.system = found_.summaries.front().key.system;
    for (std::string& note : notes_) {
      if (std::find(notes.begin(), notes.end(), note) == notes.end()) notes.push_back(note);
    }
    return std::move(found_);
  }

 private:
  using Curve = bool MeasuredPoint::*;

  double saturated_throughput() {
    RunPlan burst = run_;
    burst.repeat = 1;
    burst.counted.reset();
    constexpr const char* kAllAtOnce = "1000000";
    set(burst.settings, "request-rate", kAllAtOnce);
    const RunResults results = run(burst, nullptr, share_);
    const auto throughput = results.runs.front().summary.value("request_throughput");
    if (!throughput || *throughput <= 0) {
      throw InputError(
          fmt::format("{}: no request completes, so no rate can be measured", found_.series));
    }
    return *throughput;
  }

  /// Of one rule over the runs; `misses` where a value is not there or stands for too few.
  Interval judge(const Slo& rule, std::size_t share, const RunResults& results, bool& misses) {
    std::vector<double> values;
    for (const RunResult& run : results.runs) {
      if (rule.bounds) {
        values.push_back(run.shares[share]);
        continue;
      }
      const auto value = run.summary.value(rule.metric);
      const double left_aside = 1 - quantile_of(rule.metric).value_or(0);
      const double requests = *run.summary.value("requests");
      const bool few = requests - *run.summary.value("completed") > left_aside * requests;
      misses = misses || !value || few;
      if (value) values.push_back(*value);
    }
    return t_interval_95(values);
  }

  /// Measures a rate, unless it has been, and puts it in its place among the points.
  void measure(double rate) {
    set(run_.settings, "request-rate", format_number(rate));
    RunResults results = run(run_, nullptr, share_);
    MeasuredPoint point;
    point.rate = rate;
    point.steady = plan_.terminating || results.unstable.empty();
    point.surely = point.estimated = point.perhaps = point.steady;
    std::size_t shares = 0;
    for (const Slo& rule : plan_.rules) {
      bool misses = false;
      const Interval interval = judge(rule, shares, results, misses);
      shares += rule.bounds ? 1 : 0;
      const double half_width = interval.half_width.value_or(0);
      const auto keeps = [&](double step) {
        if (misses || !interval.mean) return false;
        return rule.at_most ? *interval.mean + step <= rule.bound
                            : *interval.mean - step >= rule.bound;
      };
      point.surely = point.surely && keeps(half_width);
      point.estimated = point.estimated && keeps(0);
      point.perhaps = point.perhaps && keeps(-half_width);
      point.met.push_back(keeps(0));
      point.misses.push_back(misses);
      point.values.push_back(interval);
    }
    found_.seeds = static_cast<std::int64_t>(results.runs.size());
    // What the lowest rate has to say is no matter of the load.
    if (found_.points.empty() || rate < found_.points.front().rate) notes_ = results.notes;
    keep(std::move(point), results);
  }

  void keep(MeasuredPoint point, RunResults& results) {
    const auto at = std::find_if(found_.points.begin(), found_.points.end(),
                                 [&](const MeasuredPoint& p) { return p.rate > point.rate; });
    const auto before = (at - found_.points.begin()) * found_.seeds;
    std::vector<Summary> summaries;
    for (RunResult& run : results.runs) {
      SummaryKey& key = run.summary.key;
      key.series = found_.series;
      key.request_rate = point.rate;
      key.label =
          fmt::format("{} rate={} seed={}", key.series, format_number(point.rate), key.seed);
      summaries.push_back(std::move(run.summary));
    }
    found_.summaries.insert(found_.summaries.begin() + before, summaries.begin(), summaries.end());
    found_.points.insert(at, std::move(point));
  }

  /// The number of the first point, by rate, that is not on this side of the curve.
  std::size_t first_failing(Curve curve) const {
    const auto found = std::find_if(found_.points.begin(), found_.points.end(),
                                    [&](const MeasuredPoint& point) { return !(point.*curve); });
    return static_cast<std::size_t>(found - found_.points.begin());
  }

  /// Measures until the lowest rate keeps the rules and the highest does not, if there are such.
  void bracket() {
    measure(saturated_);
    while (!found_.points.front().estimated &&
           found_.points.front().rate > saturated_ / kFarthest) {
      measure(found_.points.front().rate / 2);
    }
    while (found_.points.back().estimated && found_.points.back().rate < saturated_ * kFarthest) {
      measure(found_.points.back().rate * 2);
    }
  }

  /// Narrows the bracket of a curve. Nothing to do where all points are on one side of it.
  void bisect(Curve curve) {
    for (;;) {
      const std::size_t above = first_failing(curve);
      if (above == 0 || above == found_.points.size()) return;
      const double low = found_.points[above - 1].rate, high = found_.points[above].rate;
      if (high <= low * (1 + plan_.tolerance)) return;
      measure(std::sqrt(low * high));
    }
  }

  /// What bounds the rate, at the point above it.
  std::string failure(const MeasuredPoint& point) const {
    if (!point.steady) {
      return fmt::format("saturation: no steady state at {:.4g} requests/s", point.rate);
    }
    for (std::size_t i = 0; i < plan_.rules.size(); ++i) {
      if (point.met[i]) continue;
      const auto& value = point.misses[i] ? std::nullopt : point.values[i].mean;
      return fmt::format("{} ({} at {:.4g} requests/s)", plan_.rules[i].text,
                         value ? fmt::format("{:.4g}", *value) : "too few complete", point.rate);
    }
    return {};
  }

  /// The answer, when the estimates' curve is known: its interval, and what bounds it.
  void settle() {
    const std::size_t above = first_failing(&MeasuredPoint::estimated);
    found_.rate = found_.points[above - 1].rate;
    found_.bounded = above < found_.points.size();
    found_.reason = found_.bounded
                        ? failure(found_.points[above])
                        : fmt::format("nothing: met at every rate up to {:.4g} requests/s",
                                      found_.points.back().rate);
    if (found_.seeds < 2) return;
    while (!found_.points.front().surely && found_.points.front().rate > saturated_ / kFarthest) {
      measure(found_.points.front().rate / 2);
    }
    bisect(&MeasuredPoint::surely);
    bisect(&MeasuredPoint::perhaps);
    // New points may have uncovered an earlier failure of the estimates.
    bisect(&MeasuredPoint::estimated);
    const std::size_t sure = first_failing(&MeasuredPoint::surely);
    const std::size_t perhaps = first_failing(&MeasuredPoint::perhaps);
    const std::size_t failing = first_failing(&MeasuredPoint::estimated);
    found_.low = sure > 0 ? found_.points[sure - 1].rate : 0;
    if (perhaps < found_.points.size()) found_.high = found_.points[perhaps].rate;
    if (failing == 0) return;
    found_.rate = found_.points[failing - 1].rate;
    if (failing < found_.points.size()) found_.reason = failure(found_.points[failing]);
  }

  const CapacityPlan& plan_;
  RunPlan run_;
  RunShare share_;
  double saturated_ = 0;
  Capacity found_;
  std::vector<std::string> notes_;
};

/// The plan's rows, each as a plan of its own.
std::vector<std::pair<std::string, RunPlan>> one_by_one(const RunPlan& plan) {
  std::vector<std::pair<std::string, RunPlan>> rows;
  const auto add = [&](const std::string& series, const std::vector<std::string>& policies,
                       const std::vector<std::string>& systems) {
    RunPlan one = plan;
    one.policies = policies;
    one.systems = systems;
    rows.emplace_back(series, std::move(one));
  };
  if (plan.systems.empty()) {
    for (const std::string& policy : plan.policies) add(policy, {policy}, {});
  }
  for (const std::string& system : plan.systems) {
    if (plan.policies.empty()) add(system, {}, {system});
    for (const std::string& policy : plan.policies) {
      add(plan.systems.size() > 1 ? policy + "@" + system : policy, {policy}, {system});
    }
  }
  return rows;
}

}  // namespace

Capacities measure_capacity(const CapacityPlan& plan) {
  const RunPlan run = sized(plan);
  check(run);
  const auto rows = one_by_one(run);
  const auto count = static_cast<std::int64_t>(rows.size());
  const auto progress = Progress::on_terminal(count * kUsualPoints * run.repeat, run.quiet);
  Capacities capacities;
  std::int64_t done = 0;
  for (const auto& [series, one] : rows) {
    Search search(plan, one, series, progress.get());
    capacities.series.push_back(search.search(capacities.notes));
    const Capacity& last = capacities.series.back();
    done += static_cast<std::int64_t>(last.summaries.size()) + 1;
    const auto left = count - static_cast<std::int64_t>(capacities.series.size());
    if (progress) progress->expect(done + left * done / (count - left));
  }
  if (!is_drawn(run)) {
    capacities.notes.push_back(
        "a recorded trace has no sampling error: rates are exact for it, and there is no interval "
        "(--resample blocks:SECONDS gives one)");
  }
  return capacities;
}

}  // namespace tokenyard
