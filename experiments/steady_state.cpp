#include "experiments/steady_state.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <optional>

#include "experiments/cli/progress.hpp"
#include "experiments/interrupt.hpp"
#include "experiments/record/observer_list.hpp"
#include "experiments/statistics/batch_means.hpp"
#include "experiments/statistics/stability.hpp"
#include "experiments/statistics/warmup.hpp"

namespace tokenyard {

namespace {

/// Completion times by dense id; 0 for requests that did not finish.
class CompletionTimes final : public Observer {
 public:
  explicit CompletionTimes(std::size_t requests) : jct_s_(requests) {}

  bool watches_iterations() const override { return false; }
  void ended(const RequestFacts& facts) override {
    if (facts.end != End::finished) return;
    jct_s_[index(facts.request.id)] = to_seconds(facts.ended - facts.request.arrival);
  }

  /// Of the finished requests from number `first` on, with their numbers.
  struct Series {
    std::vector<double> jct_s;
    std::vector<std::size_t> numbers;
  };
  Series from(std::size_t first) const {
    Series series;
    for (std::size_t i = first; i < jct_s_.size(); ++i) {
      if (jct_s_[i] == 0) continue;
      series.jct_s.push_back(jct_s_[i]);
      series.numbers.push_back(i);
    }
    return series;
  }

 private:
  std::vector<double> jct_s_;
};

/// The number of the first request that counts; empty where none can be found.
std::optional<std::size_t> first_counted(const CompletionTimes& times) {
  const CompletionTimes::Series all = times.from(0);
  const auto left_out = mser5(all.jct_s);
  if (!left_out) return std::nullopt;
  return all.numbers[*left_out];
}

std::string interval_note(const std::string& series, const CompletionTimes& times,
                          std::size_t first) {
  const BatchMeans means = batch_means(times.from(first).jct_s);
  if (!means.interval.half_width) return {};
  return fmt::format(
      "{}: mean_jct_s {:.6g} +- {:.2g} (95 %, from this run alone by batch means{})", series,
      *means.interval.mean, *means.interval.half_width,
      means.independent ? "" : ", which are correlated: the run is too short for it");
}

/// The results so far of one row.
std::vector<const Summary*> summaries_of(const RunResults& results, const std::string& series) {
  std::vector<const Summary*> found;
  for (const RunResult& result : results.runs) {
    if (result.summary.key.series == series) found.push_back(&result.summary);
  }
  return found;
}

}  // namespace

FoundWarmup find_warmup(const std::vector<RunRow>& rows, const RunTrace& trace, std::uint64_t seed,
                        bool intervals, Progress* progress) {
  const std::size_t requests = trace.survey().requests;
  std::vector<CompletionTimes> times(rows.size(), CompletionTimes(requests));
  FoundWarmup found;
  std::size_t first = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::unique_ptr<TraceView> view = trace.view();
    InterruptWatch interrupts;
    ObserverList observers({&times[i], &interrupts});
    if (progress != nullptr) {
      progress->begin("warm-up of " + rows[i].series, static_cast<std::int64_t>(requests));
      observers.add(*progress);
    }
    run_simulation(rows[i].policy, rows[i].machine, trace, *view, seed, observers);
    const auto here = first_counted(times[i]);
    if (!here) {
      found.notes.push_back(
          fmt::format("{}: MSER-5 finds no end of the warm-up; half of the requests are left out",
                      rows[i].series));
    }
    first = std::max(first, here.value_or(requests / 2));
  }
  const std::unique_ptr<TraceView> view = trace.view();
  view->need(first);
  const TraceView::Place place = view->place(first);
  found.end = place.table().arrival(place.at);
  for (std::size_t i = 0; i < rows.size() && intervals; ++i) {
    if (auto note = interval_note(rows[i].series, times[i], first); !note.empty()) {
      found.notes.push_back(std::move(note));
    }
  }
  return found;
}

bool shows_no_steady_state(const std::vector<std::vector<double>>& runs) {
  constexpr std::size_t kFewestRuns = 5;
  std::vector<double> means, parts;
  for (const std::vector<double>& changes : runs) {
    if (changes.empty()) continue;
    means.push_back(std::accumulate(changes.begin(), changes.end(), 0.0) /
                    static_cast<double>(changes.size()));
    parts.insert(parts.end(), changes.begin(), changes.end());
  }
  return grows_without_end(means.size() >= kFewestRuns ? means : parts);
}

SeedsNeeded seeds_needed(const RunPlan& plan, const std::vector<RunRow>& rows,
                         const RunResults& results) {
  SeedsNeeded enough;
  for (const RunRow& row : rows) {
    for (const PrecisionGoal& goal : plan.until) {
      const Precision precision = precision_of(goal, summaries_of(results, row.series));
      enough.reached = enough.reached && precision.reached;
      enough.needed = std::max(enough.needed, precision.needed);
    }
  }
  return enough;
}

void note_precision(const RunPlan& plan, const std::vector<RunRow>& rows, RunResults& results) {
  constexpr double kPercent = 100;
  for (const RunRow& row : rows) {
    for (const PrecisionGoal& goal : plan.until) {
      const auto runs = summaries_of(results, row.series);
      const Precision precision = precision_of(goal, runs);
      results.notes.push_back(fmt::format(
          "{}: {} is known within {:.2g} % after {} seeds{}", row.series, goal.metric,
          kPercent * precision.relative, runs.size(),
          precision.reached ? ""
                            : fmt::format("; about {} would do (--repeat)", precision.needed)));
    }
  }
}

void note_instability(const std::vector<RunRow>& rows, RunResults& results) {
  for (const RunRow& row : rows) {
    std::vector<std::vector<double>> changes;
    for (const RunResult& result : results.runs) {
      if (result.summary.key.series == row.series) changes.push_back(result.backlog_changes);
    }
    if (!shows_no_steady_state(changes)) continue;
    results.unstable.push_back(row.series);
    results.notes.push_back(
        fmt::format("{}: no steady state: requests come faster than they are served, and "
                    "latencies grow with the length of the run",
                    row.series));
  }
}

}  // namespace tokenyard
