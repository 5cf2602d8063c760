#include "experiments/cli/trace_stats_command.hpp"

#include <fmt/format.h>

#include "experiments/cli/trace_arguments.hpp"
#include "experiments/compose.hpp"
#include "experiments/trace_stats/trace_stats.hpp"
#include "sim/kernel/input_error.hpp"
#include "traces/generate.hpp"
#include "traces/reader.hpp"

namespace tokenyard {

namespace {

/// A file from this size on is read twice and not kept.
constexpr std::uintmax_t kStreamBytes = std::uintmax_t{8} << 20;

std::vector<OptionRow> stats_options() {
  return joined({reading_options("TRACE"),
                 {limit_option(),
                  {"seed", "N", "of a workload plan (1)"},
                  {"plots", "DIR", "draw arrivals and lengths (PNG, SVG, PDF, CSV) into DIR"},
                  {"json", "", "the same as JSON, with the names of the table"},
                  help_option()}});
}

constexpr const char* kStatsUsage =
    "usage: tokenyard trace stats TRACE\n\n"
    "What a workload is like: counts, span, rate, burstiness, lengths, what an infinite prefix\n"
    "cache would find, programs of requests that wait for one another. gap_cv is the gaps'\n"
    "standard deviation over their mean (1: Poisson); peak_minute_over_mean the busiest minute\n"
    "from the first arrival on over the mean one; percentiles are nearest rank.\n\noptions:\n";

std::vector<OptionRow> check_options() {
  return joined({reading_options("TRACE"),
                 {{"most", "N", "print so many faults; all are counted (100)"}, help_option()}});
}

constexpr const char* kCheckUsage =
    "usage: tokenyard trace check TRACE\n\n"
    "Reads a trace file to its end, prints every fault with its line and field, and counts: rows\n"
    "read = kept + dropped (by reason) + faulty. Exit status 0 without a fault, 1 with one.\n\n"
    "options:\n";

/// What is wrong with a file, one message after another.
class Faults {
 public:
  explicit Faults(std::int64_t most) : most_(most) {}

  /// Does it, and says whether it went without a fault.
  template <typename Action>
  bool without(Action action) {
    try {
      action();
      return true;
    } catch (const InputError& fault) {
      if (count_++ < most_) fmt::print("{}\n", fault.what());
      return false;
    }
  }
  std::int64_t count() const { return count_; }

 private:
  std::int64_t most_;
  std::int64_t count_ = 0;
};

/// "5 rows read = 3 kept + 1 dropped (zero tokens) + 1 faulty".
std::string balance(const TraceCounts& counts, std::int64_t faulty) {
  std::int64_t read = counts.kept + faulty;
  std::string dropped;
  for (const DroppedRows& rows : counts.dropped) {
    read += rows.rows;
    dropped += fmt::format(" + {} dropped ({})", rows.rows, rows.reason);
  }
  return fmt::format("{} rows read = {} kept{} + {} faulty{}{}", read, counts.kept, dropped, faulty,
                     counts.clamped > 0 ? fmt::format("; {} clamped", counts.clamped) : "",
                     counts.unsorted > 0 ? fmt::format("; {} out of order", counts.unsorted) : "");
}

/// Reads on after a faulty row, as long as that leads any further.
std::int64_t read_all(TraceRows& rows, Faults& faults) {
  std::int64_t faulty = 0;
  for (bool more = true; more;) {
    const std::uint64_t before = rows.read_bytes();
    if (faults.without([&] { more = rows.add_next(); })) continue;
    ++faulty;
    if (rows.read_bytes() == before) break;
  }
  return faulty;
}

}  // namespace

int run_trace_check(std::span<const std::string> args) {
  const auto given = line_or_help("trace check", args, check_options(), kCheckUsage);
  if (!given) return 0;
  const CommandLine& line = *given;
  const std::string& path = only_trace(line);
  const ReadOptions reading = read_options_of(line);
  Faults faults(line.integer("most", 0, INT64_MAX, 100));
  TraceRows rows(path, reading);
  const std::int64_t faulty = read_all(rows, faults);
  TraceCounts counts = rows.builder().counts();
  const bool any_left = faulty < counts.read || counts.read == 0;
  if (any_left &&
      !faults.without([&] { counts = rows.builder().finish(rows.origin_ns()).counts; })) {
    counts = rows.builder().counts();
  }
  fmt::print("{}: {}\n", path, balance(counts, faulty));
  return faults.count() > 0 ? 1 : 0;
}

int run_trace_stats(std::span<const std::string> args) {
  const auto given = line_or_help("trace stats", args, stats_options(), kStatsUsage);
  if (!given) return 0;
  const CommandLine& line = *given;
  const std::string& path = only_trace(line);
  Settings settings;
  if (line.has("limit")) settings.limit = line.integer("limit", 1, INT64_MAX, 1);
  const auto seed = static_cast<std::uint64_t>(line.integer("seed", 0, INT64_MAX, 1));
  const TraceSource source{path, line.value("format").value_or(""),
                           line.value("zero").value_or("drop"), line.flag("trust-ids"),
                           kStreamBytes};
  const RunTrace trace = compose_trace(source, settings, seed);
  const std::string name = is_workload_plan(path) ? "plan" : trace_name(path);
  const TraceStats stats = trace_stats(trace.survey(), *trace.view(), name);
  if (const auto folder = line.value("plots")) draw_trace_stats(stats, *folder);
  fmt::print("{}", line.flag("json") ? trace_stats_json(stats) : trace_stats_text(stats));
  return 0;
}

}  // namespace tokenyard
