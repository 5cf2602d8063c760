#include "experiments/report/result_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "experiments/record/result_folder.hpp"
#include "experiments/report/result_csv.hpp"
#include "sim/kernel/input_error.hpp"
#include "sim/kernel/strict_json.hpp"

namespace tokenyard {

namespace fs = std::filesystem;

namespace {

void read_requests(const fs::path& file, std::vector<double>& jct) {
  ResultCsv csv(file);
  const std::size_t status = csv.column("status");
  const std::size_t jct_s = csv.column("jct_s");
  while (csv.next()) {
    const std::string_view how = csv.text(status);
    if (how == "finished") {
      jct.push_back(csv.number(jct_s));
    } else if (how != "rejected" && how != "cancelled") {
      csv.refuse(status, "is none of finished, rejected, cancelled");
    }
  }
}

}  // namespace

std::vector<Summary> read_summaries(const fs::path& file, bool is_sweep) {
  ResultCsv csv(file);
  const std::size_t variant = is_sweep ? csv.column("variant") : 0,
                    request_rate = is_sweep ? csv.column("request_rate") : 0;
  const std::size_t label = csv.column("label"), policy = csv.column("policy"),
                    system = csv.column("system"), seed = csv.column("seed"),
                    clairvoyant = csv.column("clairvoyant");
  std::vector<std::size_t> columns;
  for (const std::string& name : summary_names()) columns.push_back(csv.column(name));
  std::vector<Summary> summaries;
  while (csv.next()) {
    Summary summary;
    summary.key.label = csv.text(label);
    summary.key.policy = csv.text(policy);
    summary.key.system = csv.text(system);
    summary.key.seed = csv.count(seed);
    summary.key.clairvoyant = csv.flag(clairvoyant);
    if (is_sweep) {
      summary.key.variant = csv.text(variant);
      summary.key.request_rate = csv.number_or_empty(request_rate);
    }
    // The label of a run with several seeds ends in its own.
    const std::string ending = fmt::format(" seed={}", summary.key.seed);
    summary.key.series = summary.key.label.ends_with(ending)
                             ? summary.key.label.substr(0, summary.key.label.size() - ending.size())
                             : summary.key.label;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      summary.values.emplace_back(summary_names()[i], csv.number_or_empty(columns[i]));
    }
    summaries.push_back(std::move(summary));
  }
  if (summaries.empty()) throw InputError(file.string(), 0, "", "has no rows");
  return summaries;
}

ResultFiles read_result_folder(const fs::path& folder) {
  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    throw InputError(folder.string(), 0, "", "is no folder");
  }
  if (!fs::exists(folder / "run.json", error)) {
    throw InputError(folder.string(), 0, "", "is no result folder (it has no run.json)");
  }
  ResultFiles files;
  JsonObject settings = JsonFile::read((folder / "run.json").string());
  const bool is_sweep = settings.string_or("command", "run") == "sweep";
  files.settings_file = is_sweep ? "plan.json" : "run.json";
  if (is_sweep) settings = JsonFile::read((folder / files.settings_file).string());
  files.settings = nlohmann::ordered_json::parse(settings.raw()).dump(2);
  files.summaries = read_summaries(folder / "summary.csv", is_sweep);
  if (is_sweep) files.latency = rate_curves(files.summaries);
  if (!files.latency.empty()) return files;

  std::vector<std::string> labels;
  for (const Summary& summary : files.summaries) labels.push_back(summary.key.label);
  const std::vector<std::string> names = safe_file_names(labels);
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (is_sweep && !fs::exists(folder / names[i], error)) continue;  // the cells were not kept
    const SummaryKey& key = files.summaries[i].key;
    const std::string curve = key.series + (key.clairvoyant ? " (clairvoyant)" : "");
    auto found = std::find_if(files.jct.begin(), files.jct.end(),
                              [&](const PlotSamples& samples) { return samples.label == curve; });
    if (found == files.jct.end()) found = files.jct.insert(files.jct.end(), {curve, {}});
    read_requests(folder / names[i] / "requests.csv", found->values);
  }
  return files;
}

}  // namespace tokenyard
