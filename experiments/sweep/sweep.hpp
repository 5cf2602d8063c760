#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "experiments/run.hpp"
#include "experiments/sweep/cells.hpp"

namespace tokenyard {

/// How a sweep is carried out; decides nothing about its results.
struct SweepOptions {
  std::filesystem::path out;  ///< the result folder
  bool keep_cells = false;    ///< put each cell's own files into it too
  bool quiet = false;         ///< no progress line
  bool on_ray = false;        ///< cells run as tasks of Ray instead of on threads
  std::size_t jobs = 0;       ///< cells at a time; 0: one a core
};

/// What became of a sweep.
struct SweepResults {
  RunResults results;                ///< in the order of the cells
  std::size_t runs = 0;              ///< cells that differ; equal ones are run once
  std::size_t found = 0;             ///< of these, those that were there already
  std::vector<std::string> repairs;  ///< what was wrong with the folder and what was done about it
};

/// Carries out those cells that the result folder does not hold and writes the sweep's files:
/// summary.csv, run.json, plan.json, with several seeds summary_ci.csv. A cell is kept as soon as
/// it has ended; so whatever ends this process, the same call goes on from there, and the files
/// are the same bytes in the end. A finished cell that cannot be read back is set aside, computed
/// again and told of. Throws `InputError`; `Interrupted` says how far it came.
SweepResults run_sweep(const SweepPlan& plan, const std::vector<SweepCell>& cells,
                       const SweepOptions& options);

/// The names of the cells, which name their folders (see `cell_name`). Reads the traces.
std::vector<std::string> cell_names(const std::vector<SweepCell>& cells);

/// The words of the command line, from "run" on, that carries one cell out for a sweep into `out`.
std::vector<std::string> cell_words(const SweepCell& cell, const std::string& name,
                                    const std::filesystem::path& out);

/// The text of a sweep's summary.csv: the axes (variant,system,policy,request_rate,seed), then the
/// columns of a run's summary.csv that are not among them.
std::string sweep_csv(const std::vector<Summary>& summaries);

/// Notes "CELL: what a reader must know", one line for each that differs, with the cells counted.
std::vector<std::string> gathered_notes(const std::vector<SweepCell>& cells,
                                        const std::vector<std::string>& notes);

}  // namespace tokenyard
