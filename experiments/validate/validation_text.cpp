#include <fmt/format.h>

#include <algorithm>

#include "experiments/validate/validation.hpp"

namespace tokenyard {

namespace {

std::string percent(double share) {
  return fmt::format("{:+.1f} %", 100 * share);
}

std::string plain_percent(double share) {
  return fmt::format("{:.1f} %", 100 * share);
}

const char* verdict(bool judged, bool met) {
  return !judged ? "" : met ? "met" : "MISSED";
}

void add_metrics(const Validation& validation, std::string& text) {
  text += fmt::format("{:<16} {:>12} {:>12} {:>12} {:>9} {:>8}\n", "", "live", "+- (95 %)",
                      "simulated", "error", "within");
  std::string policy;
  for (const MetricRow& row : validation.metrics) {
    if (row.policy != policy) text += row.policy + "\n";
    policy = row.policy;
    text +=
        fmt::format("  {:<14} {:>12.6g} {:>12} {:>12.6g} {:>9} {:>8} {}\n", row.metric, row.live,
                    row.live_half_width ? fmt::format("{:.3g}", *row.live_half_width) : "-",
                    row.simulated, percent(row.error), row.bound ? plain_percent(*row.bound) : "",
                    verdict(row.bound.has_value(), row.met()));
  }
}

/// Below a row of the errors: live against live, and how far the errors may go.
void add_live_spread(const IterationRow& row, const ValidationGoals& goals, std::size_t width,
                     std::string& text) {
  const LiveSpread& live = row.live;
  const auto half_width = live.total_half_width;
  const auto share = [&](double value) {
    return live.equals.iterations > 0 ? plain_percent(value) : "-";
  };
  text += fmt::format("{:<{}} {:>10} {:>9} {:>9} {:>9} {:>9} {:>9}\n", "  live", width,
                      live.equals.iterations, half_width ? "+-" + plain_percent(*half_width) : "-",
                      share(live.equals.mean_absolute), share(live.equals.p50_absolute),
                      share(live.equals.p95_absolute), share(live.equals.p99_absolute));
  text += fmt::format("{:<{}} {:>10} {:>9} {:>9} {:>9} {:>9} {:>9} {}\n", "  within", width, "",
                      plain_percent(row.total_bound), "", "", plain_percent(row.p95_bound), "",
                      verdict(true, row.met()));
  text += fmt::format("{:<{}} {:>10} {:>9} {:>9} {:>9} {:>9} {:>9} {}\n", "  goals", width, "",
                      plain_percent(goals.iterations_total), "", "",
                      plain_percent(goals.iterations_p95), "", verdict(true, row.goals_met));
}

void add_iterations(const Validation& validation, std::string& text) {
  std::size_t width = 16;
  for (const IterationRow& row : validation.iterations) width = std::max(width, row.policy.size());
  text += fmt::format(
      "\niterations of the live runs, charged by the cost model; below, how far live ones of equal "
      "load\nare from one another, and live runs in total (95 %)\n"
      "{:<{}} {:>10} {:>9} {:>9} {:>9} {:>9} {:>9}\n",
      "", width, "number", "total", "mean |e|", "p50 |e|", "p95 |e|", "p99 |e|");
  for (const IterationRow& row : validation.iterations) {
    const IterationErrors& errors = row.errors;
    text += fmt::format("{:<{}} {:>10} {:>9} {:>9} {:>9} {:>9} {:>9}\n", row.policy, width,
                        errors.iterations, percent(errors.total),
                        plain_percent(errors.mean_absolute), plain_percent(errors.p50_absolute),
                        plain_percent(errors.p95_absolute), plain_percent(errors.p99_absolute));
    add_live_spread(row, validation.goals, width, text);
  }
}

void add_pairs(const Validation& validation, std::string& text) {
  if (validation.pairs.empty()) return;
  text += "\nmean JCT of one policy over another's\n";
  std::size_t width = 0;
  for (const PairRow& row : validation.pairs) {
    width = std::max(width, row.candidate.size() + row.base.size() + 6);
  }
  for (const PairRow& row : validation.pairs) {
    std::string live = "no interval: one repetition";
    if (row.live) {
      live = fmt::format("live {} [{}, {}]", percent(row.live->change), percent(row.live->low),
                         percent(row.live->high));
    }
    text += fmt::format("{:<{}} {:<36} simulated {:>9}  {}\n", row.candidate + " over " + row.base,
                        width, live, percent(row.simulated),
                        !row.judged()  ? "not told apart live"
                        : row.agrees() ? "same ranking"
                                       : "OTHER RANKING");
  }
}

}  // namespace

std::string validation_text(const Validation& validation) {
  std::string text;
  add_metrics(validation, text);
  add_iterations(validation, text);
  add_pairs(validation, text);
  const ValidationGoals& goals = validation.goals;
  text += fmt::format(
      "\ngoals: mean JCT within {}, p99 JCT within {} (or the live interval); iterations within {} "
      "in total\nand {} at p95 (or what live differs from live); the ranking kept where the live "
      "interval tells: {}\n",
      plain_percent(goals.mean_jct), plain_percent(goals.p99_jct),
      plain_percent(goals.iterations_total), plain_percent(goals.iterations_p95),
      validation.met() ? "all met" : "not all met");
  return text;
}

}  // namespace tokenyard
