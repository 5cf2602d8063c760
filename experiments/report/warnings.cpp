#include "experiments/report/warnings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <queue>

namespace tokenyard {

namespace {

/// How many requests each arrival finds in the system.
std::vector<double> found_by_arrivals(const RunSamples& run) {
  std::priority_queue<double, std::vector<double>, std::greater<>> finishes;
  std::vector<double> found;
  for (const RequestSample& request : run.finished) {
    while (!finishes.empty() && finishes.top() <= request.arrival_s) finishes.pop();
    found.push_back(static_cast<double>(finishes.size()));
    finishes.push(request.finish_s());
  }
  return found;
}

std::string joined(const std::vector<std::string>& labels) {
  std::string text;
  for (const std::string& label : labels) text += (text.empty() ? "" : ", ") + label;
  return text;
}

void warn_of_seeds(const ResultFiles& files, std::vector<std::string>& warnings) {
  std::map<std::string, int> seeds;
  for (const Summary& summary : files.summaries) ++seeds[summary.key.series];
  const bool single = std::ranges::any_of(seeds, [](const auto& each) { return each.second < 2; });
  if (!single) return;
  warnings.emplace_back(
      "One run each: the numbers have no interval, and a difference may be chance. Repeat a "
      "workload plan with --repeat N; of a recorded trace, 'tokenyard compare' tells how much a "
      "difference varies along it.");
}

void warn_of_lost_requests(const ResultFiles& files, std::vector<std::string>& warnings) {
  std::vector<std::string> labels;
  double fewest = 1e300;
  for (const Summary& summary : files.summaries) {
    const double requests = summary.value("requests").value_or(0);
    const double completed = summary.value("completed").value_or(0);
    fewest = std::min(fewest, completed);
    if (completed >= requests) continue;
    labels.push_back(
        fmt::format("{} {:.0f} of {:.0f}", summary.key.label, requests - completed, requests));
  }
  constexpr std::size_t kShown = 8;
  if (labels.size() > kShown) {
    labels[kShown - 1] = fmt::format("and {} more", labels.size() - kShown + 1);
    labels.resize(kShown);
  }
  if (!labels.empty()) {
    warnings.push_back("Latencies are of completed requests only; rejected or cancelled were: " +
                       joined(labels) + ".");
  }
  constexpr double kEnough = 1000;
  if (fewest < kEnough && fewest > 0) {
    const auto slowest = static_cast<std::int64_t>(fewest / 100) + 1;
    warnings.push_back(
        fmt::format("Few requests: a p99 of {:.0f} requests rests on the {} slowest of them.",
                    fewest, slowest > 1 ? std::to_string(slowest) : std::string("one")));
  }
}

/// Whether the run has said so itself.
bool said_to_grow(const std::vector<std::string>& notes, const std::string& label) {
  return std::ranges::any_of(notes, [&](const std::string& note) {
    const std::size_t end = note.find(": no steady state");
    if (end == std::string::npos) return false;
    const std::string series = note.substr(0, end);
    return label == series || label == series + " (clairvoyant)";
  });
}

}  // namespace

bool backlog_grew(const RunSamples& run) {
  const std::vector<double> found = found_by_arrivals(run);
  constexpr std::size_t kFewest = 40;  // ten a quarter
  if (found.size() < kFewest) return false;
  const std::size_t quarter = found.size() / 4;
  const auto mean_of = [&](std::size_t which) {
    double sum = 0;
    for (std::size_t i = which * quarter; i < (which + 1) * quarter; ++i) sum += found[i];
    return sum / static_cast<double>(quarter);
  };
  const double second = mean_of(1), third = mean_of(2), last = mean_of(3);
  return second < third && third < last && last >= 1.5 * second &&
         last >= 0.05 * static_cast<double>(found.size());
}

std::vector<std::string> report_warnings(const ResultFiles& files,
                                         const std::vector<RequestGroup>& groups) {
  std::vector<std::string> warnings = files.notes;
  warn_of_seeds(files, warnings);
  std::vector<std::string> growing;
  for (const RequestGroup& group : groups) {
    if (!said_to_grow(files.notes, group.label) && std::ranges::any_of(group.runs, backlog_grew))
      growing.push_back(group.label);
  }
  if (!growing.empty()) {
    warnings.push_back(
        "The backlog grew as long as requests came, as above saturation: " + joined(growing) +
        ". There is no steady state then; latencies grow with the number of "
        "requests, so compare only runs of equal length.");
  }
  warn_of_lost_requests(files, warnings);
  const bool wall = files.settings.find("\"clock\": \"wall\"") != std::string::npos;
  if (wall) warnings.emplace_back("Measured on the wall clock: another run gives other numbers.");
  return warnings;
}

}  // namespace tokenyard
