#include "experiments/cli/report_command.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <optional>

#include "experiments/cli/command_line.hpp"
#include "experiments/data_files.hpp"
#include "experiments/report/cost_report.hpp"
#include "experiments/report/report.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

namespace {

constexpr const char* kUsage =
    "tokenyard report DIR [options]\n"
    "tokenyard report --cost FILE [--out DIR]\n"
    "\n"
    "Reads a result folder (as 'tokenyard run --out DIR' and 'tokenyard sweep' write it), draws "
    "it\n"
    "into DIR/plots as PNG, SVG and PDF with the data as CSV, and writes DIR/report.html, one "
    "page\n"
    "that needs nothing else.\n"
    "\n"
    "Of runs: the distribution of job completion times and its tail, JCT by output and prompt\n"
    "length, fairness by size and tenant, requests in the system over time; with 'run "
    "--iterations'\n"
    "also queue length, KV memory and queue levels over time. Of a sweep over request rates:\n"
    "latency and throughput against the rate, with --published beside what others measured. With\n"
    "--slo also goodput.\n"
    "\n"
    "--cost draws a cost model file instead: the time of an iteration against the tokens of a\n"
    "prompt, the sequences of a batch and their context; of a table what was measured.\n"
    "\n"
    "  tokenyard report results --slo 'ttft_s<=1' --slo 'tpot_s<=0.1'\n\n";

int report_cost(const CommandLine& line) {
  if (!line.positionals().empty() || line.has("slo") || line.has("published")) {
    line.refuse("--cost FILE stands alone, with --out DIR");
  }
  const std::string file = *line.value("cost");
  const std::filesystem::path out =
      line.value("out").value_or("out/" + std::filesystem::path(file).stem().string());
  for (const std::string& each : write_cost_report(file, data_directory() / "models", out)) {
    if (!line.flag("quiet")) fmt::print("{}\n", (out / each).string());
  }
  return 0;
}

}  // namespace

int run_report_command(const std::vector<std::string>& arguments) {
  const std::vector<OptionRow> rows = {
      {"slo", "RULE",
       "bound of goodput: jct_s, ttft_s, tpot_s or normalized_latency_s<=SECONDS; may repeat",
       true},
      {"published", "FILE",
       "points (CSV: label,request_rate,mean_normalized_latency_s) to set beside a sweep's "
       "latency"},
      {"cost", "FILE", "draw this cost model file"},
      {"out", "DIR", "with --cost: where to (out/NAME for NAME.json)"},
      {"quiet", "", "do not list the files written"},
      {"help", "", "this text"}};
  const CommandLine line("report", arguments, rows);
  if (line.flag("help")) {
    fmt::print("{}{}", kUsage, options_help(rows));
    return 0;
  }
  const auto& positionals = line.positionals();
  if (line.has("cost")) return report_cost(line);
  if (line.has("out"))
    line.refuse("--out goes with --cost; a report stands in the folder it is of");
  if (positionals.empty()) line.refuse("no DIR given; see 'tokenyard report --help'");
  if (positionals.size() > 1) {
    line.refuse(fmt::format("one DIR is enough; what is '{}'?", printable(positionals[1])));
  }
  std::vector<LatencyBound> slo;
  for (const std::string& rule : line.values("slo")) slo.push_back(parse_latency_bound(rule));
  std::optional<std::filesystem::path> published;
  if (const auto file = line.value("published")) published = *file;
  const auto written = write_report(positionals.front(), slo, published);
  if (line.flag("quiet")) return 0;
  for (const std::string& file : written) fmt::print("{}/{}\n", positionals.front(), file);
  return 0;
}

}  // namespace tokenyard
