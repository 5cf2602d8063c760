#include "experiments/cli/report_command.hpp"

#include <fmt/format.h>

#include "experiments/cli/command_line.hpp"
#include "experiments/report/report.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

namespace {

constexpr const char* kUsage =
    "tokenyard report DIR [options]\n"
    "\n"
    "Reads a result folder (as 'tokenyard run --out DIR' and 'tokenyard sweep' write it), draws\n"
    "the distribution of job completion times and its tail, or of a sweep over request rates the\n"
    "mean normalized latency against the rate, into DIR/plots as PNG and SVG with the data as\n"
    "CSV, and writes DIR/report.html, one page that needs nothing else.\n\n";

}  // namespace

int run_report_command(const std::vector<std::string>& arguments) {
  const std::vector<OptionRow> rows = {{"quiet", "", "do not list the files written"},
                                       {"help", "", "this text"}};
  const CommandLine line("report", arguments, rows);
  if (line.flag("help")) {
    fmt::print("{}{}", kUsage, options_help(rows));
    return 0;
  }
  const auto& positionals = line.positionals();
  if (positionals.empty()) line.refuse("no DIR given; see 'tokenyard report --help'");
  if (positionals.size() > 1) {
    line.refuse(fmt::format("one DIR is enough; what is '{}'?", printable(positionals[1])));
  }
  const auto written = write_report(positionals.front());
  if (line.flag("quiet")) return 0;
  for (const std::string& file : written) fmt::print("{}/{}\n", positionals.front(), file);
  return 0;
}

}  // namespace tokenyard
