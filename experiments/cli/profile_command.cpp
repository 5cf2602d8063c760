#include "experiments/cli/profile_command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include "experiments/cli/command_line.hpp"
#include "experiments/cli/profile_progress.hpp"
#include "experiments/compose.hpp"
#include "experiments/costs/cost_file.hpp"
#include "experiments/costs/engine_profile.hpp"
#include "experiments/costs/imported_pipeline.hpp"
#include "experiments/costs/operator_tables.hpp"
#include "experiments/data_files.hpp"
#include "experiments/settings.hpp"
#include "sim/kernel/input_error.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

namespace {

constexpr const char* kUsage =
    "tokenyard profile --weights W [options] --out FILE\n"
    "tokenyard profile --import DIR --model NAME --device NAME [options] --out FILE\n"
    "\n"
    "Writes a cost model file, for 'run --cost FILE' (with --kv-blocks, or --model and --device):\n"
    "what was measured, interpolated, and how it goes on beyond that (docs/costs.md).\n"
    "\n"
    "--weights measures the real engine, as live runs use it: prompts and chunks of many lengths\n"
    "behind many contexts, batches of decodes, and copies of KV to the host and back. Give the\n"
    "limits and threads that the runs will have, and leave the computer alone meanwhile. It fits\n"
    "the linear form by weighted least squares and tries fit and table on mixed batches that were\n"
    "held out; the better one charges. A bad profile is not written (status 1), unless\n"
    "--accept-bad-fit is given.\n"
    "\n"
    "--import reads published times of single operators in the layout of Vidur's data/profiling:\n"
    "DIR/mlp.csv, and where they are known DIR/attention.csv and, with --network DIR,\n"
    "all_reduce.csv and send_recv.csv. What no file measures is left to the roofline of model and "
    "device, and said "
    "so.\n"
    "\n"
    "  tokenyard profile --weights random:llama-134m --max-num-seqs 16 --out cpu.json\n"
    "  tokenyard run trace.csv fcfs srpt --cost cpu.json --kv-blocks 2000 --max-num-seqs 16\n"
    "  tokenyard profile --import profiling/compute/a100/meta-llama/Llama-2-70b-hf --tp 4 \\\n"
    "      --network profiling/network/a100_dgx --model llama-2-70b --device a100-80g --out "
    "70b.json\n"
    "  tokenyard report --cost 70b.json\n\n";

/// Of the settings of runs those that a profile depends on.
constexpr const char* kEngineSettings[] = {
    "weights",    "dtype",        "kv-cache-dtype", "threads",
    "block-size", "max-num-seqs", "max-model-len",  "max-num-batched-tokens"};

std::vector<OptionRow> option_rows() {
  std::vector<OptionRow> rows = {
      {"out", "FILE", "the cost model file to write"},
      {"seconds", "S", "begin no further round of measuring after so long (90; three at least)"},
      {"accept-bad-fit", "", "write the file even where it predicts badly"},
      {"seed", "N", "draws the held-out batches and the order of measuring (1)"}};
  for (const char* name : kEngineSettings) {
    const auto entries = setting_entries();
    const auto entry = std::find_if(entries.begin(), entries.end(), [&](const SettingEntry& each) {
      return std::string_view(each.name) == name;
    });
    rows.push_back({name, "VALUE", entry->help});
  }
  const std::vector<OptionRow> others = {
      {"import", "DIR", "published measurements of operators"},
      {"network", "DIR", "of all-reduces, for --tp above 1, and of messages, for --pp"},
      {"model", "NAME", "whose operators they are, see 'list models'"},
      {"device", "NAME", "on which they were measured, see 'list devices'"},
      {"tp", "N", "degree of tensor parallelism (1)"},
      {"pp", "N", "pipeline stages, each with its share of the layers' times (1)"},
      {"json", "", "what was found, machine-readable, on standard output"},
      {"quiet", "", "neither table nor notes nor progress"},
      {"help", "", "this text"}};
  rows.insert(rows.end(), others.begin(), others.end());
  return rows;
}

std::string required(const CommandLine& line, const char* name) {
  const auto value = line.value(name);
  if (!value) line.refuse(fmt::format("no --{} given; see 'tokenyard profile --help'", name));
  return *value;
}

/// The file to write, in a folder that is there: measuring takes minutes.
std::string out_file(const CommandLine& line) {
  const std::string out = required(line, "out");
  const std::filesystem::path folder = std::filesystem::path(out).parent_path();
  std::error_code error;
  if (!folder.empty() && !std::filesystem::is_directory(folder, error)) {
    line.refuse(fmt::format("--out {}: there is no folder '{}'", printable(out),
                            printable(folder.string())));
  }
  return out;
}

int import_tables(const CommandLine& line, const std::string& out) {
  const auto data = data_directory() / "models";
  constexpr std::int64_t kMostDevices = 1024;
  OperatorTables from{*line.value("import"),
                      line.value("network").value_or(""),
                      load_model_spec(data, required(line, "model")),
                      load_device_spec(data, required(line, "device")),
                      static_cast<int>(line.integer("tp", 1, kMostDevices, 1)),
                      static_cast<int>(line.integer("pp", 1, kMostDevices, 1))};
  stage_shares(from.model, {from.tensor_parallel, from.pipeline_parallel});  // or it is refused
  const ImportedCosts costs = import_operator_tables(from);
  write_cost_file(out, imported_cost_text(from, costs));
  if (line.flag("quiet")) return 0;
  for (const std::string& note : costs.notes) fmt::print("note: {}\n", note);
  fmt::print("the cost model is in {}\n", out);
  return 0;
}

int measure_engine(const CommandLine& line, const std::string& out) {
  Settings settings;
  settings.executor = "engine";
  settings.clock = "wall";
  std::vector<GivenSetting> given;
  for (const char* name : kEngineSettings) {
    if (const auto value = line.value(name)) {
      given.push_back({name, *value, std::string("--") + name});
    }
  }
  apply_settings(settings, given);
  const Machine machine = compose_machine(std::move(settings));
  ProfilePlan plan;
  plan.seed = static_cast<std::uint64_t>(line.integer("seed", 0, INT64_MAX, 1));
  plan.allowed = std::chrono::seconds(line.integer("seconds", 0, 1'000'000, 90));
  const bool quiet = line.flag("quiet");
  const Profile profile = [&] {
    ProfileProgress progress(quiet || line.flag("json"));
    return profile_engine(machine, plan,
                          [&](std::int64_t done, std::int64_t of) { progress.show(done, of); });
  }();
  const bool written = profile.faults.empty() || line.flag("accept-bad-fit");
  if (written) write_cost_file(out, cost_file_text(profile.file));
  if (line.flag("json")) {
    fmt::print("{}\n", profile.file.quality);
  } else if (!quiet) {
    fmt::print("{}", profile_table(profile));
    for (const std::string& note : profile.notes) fmt::print("note: {}\n", note);
    if (written) fmt::print("the cost model is in {}\n", out);
  }
  for (const std::string& fault : profile.faults) {
    fmt::print(stderr, "tokenyard: a bad profile{}: {}\n", written ? "" : ", not written", fault);
  }
  return written ? 0 : 1;
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
  const std::string out = out_file(line);
  if (line.has("import") == line.has("weights")) {
    line.refuse("give either --weights, to measure the engine, or --import; see --help");
  }
  for (const char* name : {"network", "model", "device", "tp", "pp"}) {
    if (line.has("weights") && line.has(name)) {
      line.refuse(fmt::format("--{} goes with --import", name));
    }
  }
  return line.has("import") ? import_tables(line, out) : measure_engine(line, out);
}

}  // namespace tokenyard
