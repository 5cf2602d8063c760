#include "experiments/cli/reproduce_command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "experiments/cli/command_line.hpp"
#include "experiments/record/result_folder.hpp"
#include "experiments/study/study.hpp"
#include "experiments/study/study_page.hpp"
#include "experiments/sweep/sweep.hpp"
#include "sim/kernel/input_error.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kMostJobs = 4096;
/// It stands in every folder of results of a study, and nowhere else.
constexpr const char* kMark = "study.json";

constexpr const char* kUsage =
    "tokenyard reproduce STUDY [options]\n"
    "\n"
    "Reruns an evaluation that was published and sets it beside the published figures on one "
    "page,\n"
    "DIR/report.html, which needs nothing else. STUDY is a folder with a study.json, or the name "
    "of\n"
    "one that comes with Tokenyard:\n"
    "\n"
    "{}\n"
    "A study.json names figures: each draws a metric of one or more sweep plans of its folder, "
    "with\n"
    "the points of a CSV file (label,x,METRIC) beside them, or makes a table; see\n"
    "docs/experiments.md. The sweeps are in DIR/sweeps; what was computed is used again.\n"
    "\n"
    "  tokenyard reproduce fastserve\n"
    "  tokenyard reproduce fastserve --figure sharegpt --out /tmp/one\n"
    "  tokenyard reproduce fastserve --all                         # with figures that take "
    "minutes\n\n";

/// The figures that are wanted.
std::vector<StudyFigure> figures_of(const Study& study, const CommandLine& line) {
  const std::vector<std::string> wanted = line.values("figure");
  if (line.flag("all")) return study.figures;
  std::vector<std::string> names;
  for (const StudyFigure& figure : study.figures) names.push_back(figure.name);
  for (const std::string& name : wanted) {
    if (std::ranges::find(names, name) != names.end()) continue;
    line.refuse(fmt::format("--figure: '{}' is none of {}{}", printable(name),
                            fmt::join(names, ", "), suggestion(name, names)));
  }
  std::vector<StudyFigure> figures;
  for (const StudyFigure& figure : study.figures) {
    const bool named = std::ranges::find(wanted, figure.name) != wanted.end();
    if (named || (wanted.empty() && !figure.slow)) figures.push_back(figure);
  }
  return figures;
}

/// Every plan that they name, once, read before anything is run.
std::vector<std::pair<std::string, SweepPlan>> plans_of(const Study& study,
                                                        const std::vector<StudyFigure>& figures) {
  std::vector<std::pair<std::string, SweepPlan>> plans;
  for (const StudyFigure& figure : figures) {
    for (const std::string& name : figure.plans) {
      const auto same = [&](const auto& plan) { return plan.first == name; };
      if (std::ranges::any_of(plans, same)) continue;
      plans.emplace_back(name, read_sweep_plan((study.folder / name).string()));
    }
  }
  return plans;
}

/// The folder of results, which must not be somebody else's.
void prepare(const fs::path& out, const Study& study) {
  std::error_code error;
  if (fs::exists(out, error) && !fs::is_empty(out, error) && !fs::exists(out / kMark, error)) {
    throw InputError(out.string(), 0, "", "exists, is not empty and holds no study's results");
  }
  fs::create_directories(out, error);
  if (error) throw InputError(out.string(), 0, "", "cannot be created: " + error.message());
  write_text_file(out / kMark, study.text);
}

StudySweep carry_out(const std::string& name, const SweepPlan& plan, const fs::path& out,
                     const CommandLine& line) {
  const std::vector<SweepCell> cells = cells_of(plan, std::nullopt);
  SweepOptions options;
  options.out = out / "sweeps" / safe_file_name(fs::path(name).stem().string());
  options.quiet = line.flag("quiet");
  options.jobs = static_cast<std::size_t>(line.integer("jobs", 0, kMostJobs, 0));
  SweepResults done = run_sweep(plan, cells, options);
  for (const std::string& repair : done.repairs) {
    fmt::print(stderr, "tokenyard: note: {}\n", repair);
  }
  if (!line.flag("quiet")) {
    fmt::print("{}: {} cells, {} of them were there already\n", name, cells.size(), done.found);
  }
  StudySweep sweep{name, plan.text, {}, std::move(done.results.notes)};
  for (RunResult& run : done.results.runs) sweep.summaries.push_back(std::move(run.summary));
  return sweep;
}

std::string known_studies() {
  std::string text;
  for (const std::string& name : study_names()) {
    text += fmt::format("  {:<12} {}\n", name, read_study(find_study(name)).title);
  }
  return text;
}

}  // namespace

int run_reproduce_command(const std::vector<std::string>& arguments) {
  const std::vector<OptionRow> rows = {
      {"out", "DIR", "where the page goes (out/STUDY)"},
      {"figure", "NAME", "only this figure; may repeat (all that are quick)", true},
      {"all", "", "the slow figures too"},
      {"jobs", "N", "cells that run at a time; 0: one a core (0)"},
      {"quiet", "", "no progress"},
      {"help", "", "this text"}};
  const CommandLine line("reproduce", arguments, rows);
  if (line.flag("help")) {
    fmt::print("{}{}", fmt::format(fmt::runtime(kUsage), known_studies()), options_help(rows));
    return 0;
  }
  const auto& positionals = line.positionals();
  if (positionals.empty()) {
    line.refuse(fmt::format("no STUDY given; there are {}", fmt::join(study_names(), ", ")));
  }
  if (positionals.size() > 1) {
    line.refuse(fmt::format("one STUDY is enough; what is '{}'?", printable(positionals[1])));
  }
  const Study study = read_study(find_study(positionals.front()));
  const std::vector<StudyFigure> figures = figures_of(study, line);
  const auto plans = plans_of(study, figures);
  const fs::path out = line.value("out").value_or("out/" + safe_file_name(study.name));
  prepare(out, study);
  std::vector<StudySweep> sweeps;
  for (const auto& [name, plan] : plans) sweeps.push_back(carry_out(name, plan, out, line));
  const auto written = write_study_page(out, study, figures, sweeps);
  if (!line.flag("quiet")) fmt::print("{}/{}\n", out.string(), written.back());
  return 0;
}

}  // namespace tokenyard
