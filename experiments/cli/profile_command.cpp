#include "experiments/cli/profile_command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "experiments/cli/command_line.hpp"
#include "experiments/costs/cost_file.hpp"
#include "experiments/costs/operator_tables.hpp"
#include "experiments/data_files.hpp"
#include "sim/kernel/input_error.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

namespace {

constexpr const char* kUsage =
    "tokenyard profile --import DIR --model NAME --device NAME [options] --out FILE\n"
    "\n"
    "Writes a cost model file, for 'run --cost FILE' (with --kv-blocks, or --model and --device):\n"
    "what was measured, interpolated, and how it goes on beyond that (docs/costs.md).\n"
    "\n"
    "--import reads published times of single operators in the layout of Vidur's data/profiling:\n"
    "DIR/mlp.csv, and where they are known DIR/attention.csv and, with --network DIR,\n"
    "all_reduce.csv. What no file measures is left to the roofline of model and device, and said "
    "so.\n"
    "\n"
    "  tokenyard profile --import profiling/compute/a100/meta-llama/Llama-2-70b-hf --tp 4 \\\n"
    "      --network profiling/network/a100_dgx --model llama-2-70b --device a100-80g --out "
    "70b.json\n"
    "  tokenyard report --cost 70b.json\n\n";

std::vector<OptionRow> option_rows() {
  return {{"import", "DIR", "published measurements of operators"},
          {"network", "DIR", "of all-reduces, for --tp above 1"},
          {"model", "NAME", "whose operators they are, see 'list models'"},
          {"device", "NAME", "on which they were measured, see 'list devices'"},
          {"tp", "N", "degree of tensor parallelism (1)"},
          {"out", "FILE", "the cost model file to write"},
          {"quiet", "", "no notes"},
          {"help", "", "this text"}};
}

std::string required(const CommandLine& line, const char* name) {
  const auto value = line.value(name);
  if (!value) line.refuse(fmt::format("no --{} given; see 'tokenyard profile --help'", name));
  return *value;
}

int import_tables(const CommandLine& line, const std::string& out) {
  const auto data = data_directory() / "models";
  constexpr std::int64_t kMostDevices = 1024;
  OperatorTables from{*line.value("import"), line.value("network").value_or(""),
                      load_model_spec(data, required(line, "model")),
                      load_device_spec(data, required(line, "device")),
                      static_cast<int>(line.integer("tp", 1, kMostDevices, 1))};
  check_tensor_parallel(from.model, from.tensor_parallel);
  ImportedCosts costs = import_operator_tables(from);
  CostFile file{std::move(costs.table),
                fmt::format(R"({{"kind":"roofline","model":"{}","device":"{}","tp":{}}})",
                            from.model.name, from.device.name, from.tensor_parallel)};
  write_cost_file(out, file);
  if (line.flag("quiet")) return 0;
  for (const std::string& note : costs.notes) fmt::print("note: {}\n", note);
  fmt::print("the cost model is in {}\n", out);
  return 0;
}

}  // namespace

int run_profile_command(const std::vector<std::string>& arguments) {
  const std::vector<OptionRow> rows = option_rows();
  const CommandLine line("profile", arguments, rows);
  if (line.flag("help")) {
    fmt::print("{}{}", kUsage, options_help(rows));
    return 0;
  }
  if (!line.positionals().empty()) {
    line.refuse(fmt::format("what is '{}'?", printable(line.positionals().front())));
  }
  const std::string out = required(line, "out");
  required(line, "import");
  return import_tables(line, out);
}

}  // namespace tokenyard
