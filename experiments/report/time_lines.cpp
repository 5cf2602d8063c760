#include "experiments/report/time_lines.hpp"

#include <algorithm>
#include <cmath>

#include "experiments/report/result_csv.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

namespace {

std::size_t bin_of(double at_s, const TimeBins& bins) {
  const double place = std::clamp(at_s / bins.width_s(), 0.0, static_cast<double>(bins.count - 1));
  return static_cast<std::size_t>(place);
}

/// Calls `visit(bin, seconds)` for the part of [begin, end) in each bin.
template <typename Visit>
void for_each_bin(double begin_s, double end_s, const TimeBins& bins, Visit visit) {
  const std::size_t last = bin_of(end_s, bins);
  for (std::size_t bin = bin_of(begin_s, bins); bin <= last; ++bin) {
    const double from = static_cast<double>(bin) * bins.width_s();
    visit(bin, std::min(end_s, from + bins.width_s()) - std::max(begin_s, from));
  }
}

/// Level counts as iterations.csv has them, "3;0;2".
std::vector<double> levels_of(const ResultCsv& csv, std::size_t column) {
  std::vector<double> levels;
  if (csv.text(column).empty()) return levels;
  for (const std::string_view part : split(csv.text(column), ';')) {
    const auto count = parse_integer(part);
    if (!count || *count < 0) csv.refuse(column, "is not a list of counts such as 3;0;2");
    if (levels.size() < kLevelsShown) levels.push_back(0);
    levels.back() += static_cast<double>(*count);
  }
  return levels;
}

}  // namespace

TimeBins bins_for(const std::vector<RequestGroup>& groups) {
  TimeBins bins;
  for (const RequestGroup& group : groups) {
    for (const RequestSample& request : group.runs.front().finished) {
      bins.end_s = std::max(bins.end_s, request.finish_s());
    }
  }
  return bins;
}

std::vector<double> in_system(const RunSamples& run, const TimeBins& bins) {
  // What a request adds to each bin after its first, until further notice; and the rest, which is
  // what it spends in the bins of its arrival and finish.
  std::vector<double> full(bins.count + 1), parts(bins.count);
  for (const RequestSample& request : run.finished) {
    const std::size_t first = bin_of(request.arrival_s, bins);
    const std::size_t last = bin_of(request.finish_s(), bins);
    const auto end_of = [&](std::size_t bin) {
      return static_cast<double>(bin + 1) * bins.width_s();
    };
    if (first == last) {
      parts[first] += request.jct_s;
      continue;
    }
    parts[first] += end_of(first) - request.arrival_s;
    parts[last] += request.finish_s() - (end_of(last) - bins.width_s());
    full[first + 1] += 1;
    full[last] -= 1;
  }
  double present = 0;
  for (std::size_t bin = 0; bin < bins.count; ++bin) {
    present += full[bin];
    parts[bin] = present + parts[bin] / bins.width_s();
  }
  return parts;
}

TimeLine read_time_line(const std::filesystem::path& file, const TimeBins& bins) {
  ResultCsv csv(file);
  const std::size_t start_s = csv.column("start_s"), duration_s = csv.column("duration_s"),
                    waiting = csv.column("waiting"), used = csv.column("kv_blocks_used"),
                    levels = csv.column("level_requests");
  TimeLine line;
  line.waiting.resize(bins.count);
  line.kv_blocks_used.resize(bins.count);
  std::vector<double> covered(bins.count);
  while (csv.next()) {
    const double begin = csv.number(start_s), duration = csv.number(duration_s);
    if (duration < 0) csv.refuse(duration_s, "is negative");
    const auto waits = static_cast<double>(csv.count(waiting));
    const auto blocks = static_cast<double>(csv.count(used));
    const std::vector<double> counts = levels_of(csv, levels);
    while (line.levels.size() < counts.size()) line.levels.emplace_back(bins.count);
    for_each_bin(begin, begin + duration, bins, [&](std::size_t bin, double seconds) {
      covered[bin] += seconds;
      line.waiting[bin] += waits * seconds;
      line.kv_blocks_used[bin] += blocks * seconds;
      for (std::size_t i = 0; i < counts.size(); ++i) line.levels[i][bin] += counts[i] * seconds;
    });
  }
  for (std::size_t bin = 0; bin < bins.count; ++bin) {
    const double seconds = std::max(covered[bin], bins.width_s());
    line.waiting[bin] /= seconds;
    line.kv_blocks_used[bin] /= seconds;
    for (auto& level : line.levels) level[bin] /= seconds;
  }
  return line;
}

}  // namespace tokenyard
