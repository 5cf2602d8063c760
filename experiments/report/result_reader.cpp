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

/// "notes" of run.json, where there are any.
std::vector<std::string> notes_of(const JsonObject& settings) {
  const auto json = nlohmann::ordered_json::parse(settings.raw());
  std::vector<std::string> notes;
  if (!json.contains("notes") || !json["notes"].is_array()) return notes;
  for (const auto& note : json["notes"]) {
    if (note.is_string()) notes.push_back(note.get<std::string>());
  }
  return notes;
}

}  // namespace

std::vector<Summary> read_summaries(const fs::path& file, bool is_sweep) {
  ResultCsv csv(file);
  const std::size_t variant = is_sweep ? csv.column("variant") : 0,
                    request_rate = is_sweep ? csv.column("request_rate") : 0;
  const std::size_t label = csv.column("label"), policy = csv.column("policy"),
                    system = csv.column("system"), seed = csv.column("seed"),
                    clairvoyant = csv.column("clairvoyant");
  const auto& names = csv.has_column(program_names().front()) ? metric_names() : summary_names();
  std::vector<std::size_t> columns;
  for (const std::string& name : names) columns.push_back(csv.column(name));
  const bool bounded = csv.has_column(kBoundName);
  const std::size_t bound = bounded ? csv.column(kBoundName) : 0;
  std::vector<Summary> summaries;
  while (csv.next()) {
    Summary summary;
    summary.key.label = csv.text(label);
    summary.key.policy = csv.text(policy);
    summary.key.system = csv.text(system);
    summary.key.seed = csv.count(seed);
    summary.key.clairvoyant = csv.flag(clairvoyant);
    if (bounded) summary.lower_bound_mean_jct_s = csv.number_or_empty(bound);
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
      summary.values.emplace_back(names[i], csv.number_or_empty(columns[i]));
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
  const std::string command = settings.string_or("command", "run");
  if (command == "capacity") {
    throw InputError(folder.string(), 0, "",
                     "is a folder of 'capacity': its results are capacity.csv and points.csv");
  }
  if (command == "explain") {
    throw InputError(folder.string(), 0, "",
                     "is a folder of 'explain': its results are the .csv files in it");
  }
  const bool is_sweep = command == "sweep";
  files.notes = notes_of(settings);
  files.is_sweep = is_sweep;
  files.settings_file = is_sweep ? "plan.json" : "run.json";
  if (is_sweep) settings = JsonFile::read((folder / files.settings_file).string());
  files.settings = nlohmann::ordered_json::parse(settings.raw()).dump(2);
  files.summaries = read_summaries(folder / "summary.csv", is_sweep);
  std::vector<std::string> labels;
  for (const Summary& summary : files.summaries) labels.push_back(summary.key.label);
  for (const std::string& name : safe_file_names(labels)) files.folders.push_back(folder / name);
  return files;
}

std::vector<RequestGroup> read_request_groups(const ResultFiles& files) {
  std::vector<RequestGroup> groups;
  std::error_code error;
  for (std::size_t i = 0; i < files.folders.size(); ++i) {
    // A sweep keeps its cells only when told to.
    if (files.is_sweep && !fs::exists(files.folders[i] / "requests.csv", error)) continue;
    const SummaryKey& key = files.summaries[i].key;
    const std::string label = key.series + (key.clairvoyant ? " (clairvoyant)" : "");
    auto group = std::find_if(groups.begin(), groups.end(),
                              [&](const RequestGroup& each) { return each.label == label; });
    if (group == groups.end()) group = groups.insert(groups.end(), {label, {}, {}});
    read_requests(files.folders[i], *group);
  }
  return groups;
}

}  // namespace tokenyard
