#include "experiments/sweep/sweep.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "experiments/bounds/known_bounds.hpp"
#include "experiments/cli/sweep_progress.hpp"
#include "experiments/interrupt.hpp"
#include "experiments/run_json.hpp"
#include "experiments/sweep/cell_folder.hpp"
#include "experiments/sweep/cell_name.hpp"
#include "experiments/sweep/on_ray.hpp"
#include "experiments/sweep/options.hpp"
#include "experiments/sweep/parallel.hpp"
#include "experiments/sweep/shared_traces.hpp"
#include "experiments/sweep/sweep_folder.hpp"
#include "sim/kernel/input_error.hpp"
#include "sim/kernel/strict_json.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

namespace fs = std::filesystem;

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

/// A cell with what must be known to carry it out.
struct CellTask {
  std::string name;
  std::size_t requests = 0;  ///< of its trace
  Settings settings;         ///< resolved
};

std::vector<CellTask> tasks_of(const std::vector<SweepCell>& cells, SharedTraces& traces) {
  std::vector<CellTask> tasks;
  for (const SweepCell& cell : cells) {
    if (interrupted()) throw Interrupted();
    const RunRow row = only_row(cell.run);
    const SharedTrace trace = traces.of(cell.run, row.machine.settings, first_seed(cell.run));
    tasks.push_back({cell_name(cell.run, row, trace.digest), trace.trace->survey().requests,
                     row.machine.settings});
  }
  return tasks;
}

/// The first cell of each name: others of the same name are the same run.
std::vector<std::size_t> different_cells(const std::vector<CellTask>& tasks) {
  std::vector<std::size_t> different;
  std::set<std::string> seen;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    if (seen.insert(tasks[i].name).second) different.push_back(i);
  }
  return different;
}

/// "2 of 4 cells are the same run as another ..."; empty where all differ.
std::string repeats_note(const std::vector<SweepCell>& cells, const std::vector<CellTask>& tasks) {
  std::map<std::string, std::size_t> first;
  std::size_t repeats = 0;
  std::string example;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    const auto [place, fresh] = first.emplace(tasks[i].name, i);
    if (fresh) continue;
    ++repeats;
    if (!example.empty()) continue;
    example = fmt::format("'{}' as '{}'", cells[i].name.label, cells[place->second].name.label);
  }
  if (repeats == 0) return "";
  return fmt::format("{} of {} cells are the same run as an earlier one, e.g. {}; it is made once",
                     repeats, tasks.size(), example);
}

/// Those of the cells that the folder does not hold as they are wanted.
std::vector<std::size_t> missing_cells(const std::vector<std::size_t>& different,
                                       const std::vector<CellTask>& tasks,
                                       const SweepOptions& options, SweepFolder& folder,
                                       std::vector<std::string>& repairs) {
  std::vector<std::size_t> missing;
  for (const std::size_t i : different) {
    const std::string& name = tasks[i].name;
    std::error_code error;
    const auto status = fs::symlink_status(folder.cell(name), error);
    bool there = status.type() != fs::file_type::not_found;
    if (there) {
      try {
        const CellResult cell = read_cell(folder.cell(name), options.keep_cells);
        there = cell.has_requests() || !options.keep_cells;
      } catch (const InputError& fault) {
        there = false;
        const fs::path aside = folder.set_aside(name);
        repairs.push_back(fmt::format("{}: computed again; what was there is now {}", fault.what(),
                                      aside.string()));
      }
    }
    if (!there) missing.push_back(i);
  }
  return missing;
}

/// Cells on the engine run one at a time: each takes the whole machine.
std::size_t jobs_for(const std::vector<CellTask>& tasks, const SweepOptions& options) {
  const auto on_engine = [](const CellTask& task) { return task.settings.executor == "engine"; };
  if (std::any_of(tasks.begin(), tasks.end(), on_engine)) return 1;
  return options.jobs > 0 ? options.jobs : std::max(1U, std::thread::hardware_concurrency());
}

void run_on_threads(const std::vector<SweepCell>& cells, const std::vector<CellTask>& tasks,
                    const std::vector<std::size_t>& missing, const SweepOptions& options,
                    const SweepFolder& folder, SharedTraces& traces) {
  std::int64_t requests = 0;
  for (const std::size_t i : missing) requests += static_cast<std::int64_t>(tasks[i].requests);
  const auto progress = SweepProgress::on_terminal(static_cast<std::int64_t>(missing.size()),
                                                   requests, options.quiet);
  KnownBounds bounds;
  for_each_in_parallel(missing.size(), jobs_for(tasks, options), [&](std::size_t turn) {
    if (interrupted()) throw Interrupted();
    const RunPlan& plan = cells[missing[turn]].run;
    const CellTask& task = tasks[missing[turn]];
    RunShare share;
    share.trace = traces.of(plan, task.settings, first_seed(plan)).trace;
    share.requests_csv = options.keep_cells;
    share.bounds = &bounds;
    std::optional<CellTicks> ticks;
    if (progress) share.watcher = &ticks.emplace(*progress);
    write_cell(plan, folder.cell(task.name), share);
    if (progress) progress->add_cell();
  });
}

std::vector<CellResult> read_cells(const std::vector<CellTask>& tasks, const SweepFolder& folder) {
  std::vector<CellResult> read;
  for (const CellTask& task : tasks) read.push_back(read_cell(folder.cell(task.name), false));
  return read;
}

/// The results of the cells under the names that the sweep gives them.
RunResults named_results(const std::vector<SweepCell>& cells, const std::vector<CellResult>& read) {
  RunResults results;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    results.runs.push_back(read[i].run);
    SummaryKey& key = results.runs.back().summary.key;
    key.label = cells[i].name.label;
    key.series = cells[i].name.series;
    key.variant = cells[i].variant;
    key.request_rate = cells[i].request_rate;
    for (const std::string& note : read[i].notes) {
      results.notes.push_back(fmt::format("{}: {}", key.label, note));
    }
  }
  results.notes = gathered_notes(cells, results.notes);
  return results;
}

/// The sweep's own files.
std::map<std::string, std::string> texts_of(const SweepPlan& plan,
                                            const std::vector<SweepCell>& cells,
                                            const RunResults& results) {
  std::vector<Summary> summaries;
  for (const RunResult& run : results.runs) summaries.push_back(run.summary);
  std::map<std::string, std::string> texts;
  texts["summary.csv"] = sweep_csv(summaries);
  if (plan.seeds.size() > 1) texts["summary_ci.csv"] = summary_ci_csv(summaries);
  texts["run.json"] = sweep_json(plan, cells, results);
  texts["plan.json"] = plan.text;
  return texts;
}

/// The files of each cell (requests.csv and its like), under the cell's name.
std::map<std::string, fs::path> kept_files(const std::vector<SweepCell>& cells,
                                           const std::vector<CellTask>& tasks,
                                           const std::vector<CellResult>& read,
                                           const SweepFolder& folder) {
  std::map<std::string, fs::path> kept;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    for (const auto& [name, digest] : read[i].files) {
      const fs::path path = name;
      if (path.parent_path() != read[i].run.folder) continue;
      kept[cells[i].name.folder + "/" + path.filename().string()] =
          folder.cell(tasks[i].name) / path;
    }
  }
  return kept;
}

}  // namespace

std::string sweep_csv(const std::vector<Summary>& summaries) {
  const SummaryColumns columns(summaries);
  std::string text = "variant,system,policy,request_rate,seed,label" + columns.header();
  for (const Summary& summary : summaries) {
    const SummaryKey& key = summary.key;
    text += fmt::format(
        "{},{},{},{},{},{}", csv_field(key.variant), csv_field(key.system), csv_field(key.policy),
        key.request_rate ? format_number(*key.request_rate) : "", key.seed, csv_field(key.label));
    text += columns.cells(summary);
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
      return note.starts_with(candidate.name.label + ": ");
    });
    const std::string label = cell == cells.end() ? "" : cell->name.label;
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

std::vector<std::string> cell_names(const std::vector<SweepCell>& cells) {
  SharedTraces traces;
  std::vector<std::string> names;
  for (const CellTask& task : tasks_of(cells, traces)) names.push_back(task.name);
  return names;
}

std::vector<std::string> cell_words(const SweepCell& cell, const std::string& name,
                                    const fs::path& out) {
  std::vector<std::string> words = run_words(cell.run);
  words.emplace_back("--out");
  words.push_back((out / "cells" / name).string());
  words.emplace_back("--cell");
  return words;
}

SweepResults run_sweep(const SweepPlan& plan, const std::vector<SweepCell>& cells,
                       const SweepOptions& options) {
  SharedTraces traces;
  const std::vector<CellTask> tasks = tasks_of(cells, traces);  // reads all there is to read first
  SweepFolder folder(options.out);
  SweepResults done;
  const std::vector<std::size_t> different = different_cells(tasks);
  const std::vector<std::size_t> missing =
      missing_cells(different, tasks, options, folder, done.repairs);
  done.runs = different.size();
  done.found = different.size() - missing.size();
  try {
    if (options.on_ray) {
      std::vector<std::vector<std::string>> commands;
      for (const std::size_t i : missing) {
        commands.push_back(cell_words(cells[i], tasks[i].name, options.out));
      }
      folder.share(true);
      run_on_ray(commands, options.jobs, options.quiet, folder.cell(".on-ray.json"));
      folder.share(false);
    } else {
      run_on_threads(cells, tasks, missing, options, folder, traces);
    }
  } catch (const Interrupted&) {
    std::size_t ended = done.found;
    for (const std::size_t i : missing) ended += fs::exists(folder.cell(tasks[i].name)) ? 1 : 0;
    throw Interrupted(
        fmt::format("interrupted; {} of {} cells are done and kept in {}; the same command goes on "
                    "from there",
                    ended, done.runs, options.out.string()));
  }
  const std::vector<CellResult> read = read_cells(tasks, folder);
  done.results = named_results(cells, read);
  if (std::string note = repeats_note(cells, tasks); !note.empty()) {
    done.results.notes.push_back(std::move(note));
  }
  SweepFolder::Contents contents{texts_of(plan, cells, done.results), {}};
  if (options.keep_cells) contents.copies = kept_files(cells, tasks, read, folder);
  folder.put(contents);
  return done;
}

}  // namespace tokenyard
