#include "experiments/sweep/sweep.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "experiments/cli/progress.hpp"
#include "experiments/run_json.hpp"
#include "experiments/sweep/options.hpp"
#include "sim/kernel/strict_json.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

namespace {

using Json = nlohmann::ordered_json;

/// What was run, cell by cell: enough to run each again byte for byte.
std::string sweep_json(const SweepPlan& plan, const std::vector<SweepCell>& cells,
                       const RunResults& results) {
  Json json;
  json["tokenyard"] = version();
  json["command"] = "sweep";
  json["plan"] = Json::parse(JsonFile::parse(plan.text, plan.path).raw());
  json["cells"] = Json::array();
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const SummaryKey& key = results.runs[i].summary.key;
    Json entry;
    entry["label"] = key.label;
    entry["run"] = run_words(cells[i].run);
    entry["seed"] = key.seed;
    entry["trace_digest"] = results.runs[i].trace_digest;
    entry["clairvoyant"] = key.clairvoyant;
    json["cells"].push_back(entry);
  }
  json["notes"] = results.notes;
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string sweep_csv(const std::vector<Summary>& summaries) {
  std::string text = "variant,system,policy,request_rate,seed,label";
  for (const auto& name : summary_names()) text += "," + name;
  text += ",clairvoyant\n";
  for (const Summary& summary : summaries) {
    const SummaryKey& key = summary.key;
    text += fmt::format(
        "{},{},{},{},{},{}", csv_field(key.variant), csv_field(key.system), csv_field(key.policy),
        key.request_rate ? format_number(*key.request_rate) : "", key.seed, csv_field(key.label));
    text += summary_cells(summary);
  }
  return text;
}

std::vector<std::string> gathered_notes(const std::vector<SweepCell>& cells,
                                        const std::vector<std::string>& notes) {
  struct Gathered {
    std::string what, first;
    std::size_t cells = 0;
  };
  std::vector<Gathered> gathered;
  for (const std::string& note : notes) {
    const auto cell = std::find_if(cells.begin(), cells.end(), [&](const SweepCell& candidate) {
      return note.starts_with(candidate.run.name->label + ": ");
    });
    const std::string label = cell == cells.end() ? "" : cell->run.name->label;
    const std::string what = label.empty() ? note : note.substr(label.size() + 2);
    auto found = std::find_if(gathered.begin(), gathered.end(),
                              [&](const Gathered& other) { return other.what == what; });
    if (found == gathered.end()) found = gathered.insert(gathered.end(), {what, label, 0});
    ++found->cells;
  }
  std::vector<std::string> lines;
  for (const Gathered& note : gathered) {
    std::string where = note.first;
    if (note.cells == cells.size())
      where = "every cell";
    else if (note.cells > 1)
      where = fmt::format("{} and {} more", note.first, note.cells - 1);
    lines.push_back(where.empty() ? note.what : fmt::format("{}: {}", where, note.what));
  }
  return lines;
}

RunResults run_sweep(const SweepPlan& plan, const std::vector<SweepCell>& cells, bool keep_cells,
                     bool quiet, const ResultFolder& folder) {
  const auto progress = Progress::on_terminal(static_cast<std::int64_t>(cells.size()), quiet);
  const std::filesystem::path place = keep_cells ? folder.path() : std::filesystem::path();
  RunResults results;
  std::vector<Summary> summaries;
  for (const SweepCell& cell : cells) {
    RunResults one = run_part(cell.run, place, progress.get());
    RunResult& result = one.runs.front();
    result.summary.key.variant = cell.variant;
    result.summary.key.request_rate = cell.request_rate;
    summaries.push_back(result.summary);
    results.runs.push_back(std::move(result));
    results.notes.insert(results.notes.end(), one.notes.begin(), one.notes.end());
  }
  results.notes = gathered_notes(cells, results.notes);
  write_text_file(folder.path() / "summary.csv", sweep_csv(summaries));
  if (plan.seeds.size() > 1) {
    write_text_file(folder.path() / "summary_ci.csv", summary_ci_csv(summaries));
  }
  write_text_file(folder.path() / "run.json", sweep_json(plan, cells, results));
  write_text_file(folder.path() / "plan.json", plan.text);
  return results;
}

}  // namespace tokenyard
