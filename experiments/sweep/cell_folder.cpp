#include "experiments/sweep/cell_folder.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "experiments/interrupt.hpp"
#include "experiments/report/result_reader.hpp"
#include "experiments/run_json.hpp"
#include "experiments/sweep/cell_name.hpp"
#include "experiments/sweep/file_digest.hpp"
#include "experiments/sweep/folder_lock.hpp"
#include "experiments/sweep/shared_traces.hpp"
#include "sim/kernel/input_error.hpp"
#include "sim/kernel/strict_json.hpp"

namespace tokenyard {

namespace fs = std::filesystem;

namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t kMost = 9'000'000'000'000'000;

std::string dump(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

/// All files of a folder with their digests, by path.
std::map<std::string, std::string> digests_of(const fs::path& folder) {
  std::map<std::string, std::string> digests;
  std::error_code error;
  for (fs::recursive_directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    if (!entry->is_regular_file(error)) continue;
    digests[entry->path().lexically_relative(folder).generic_string()] = file_digest(entry->path());
  }
  if (error) throw InputError(folder.string(), 0, "", "cannot be listed: " + error.message());
  return digests;
}

/// The text of cell.json. Its last member is the digest of the text without it.
std::string cell_json(const std::string& name, const RunResults& results,
                      const std::map<std::string, std::string>& files) {
  const RunResult& run = results.runs.front();
  const std::string own = run.summary.key.label + ": ";
  Json json;
  json["tokenyard"] = version();
  json["cell"] = name;
  json["folder"] = run.folder;
  json["trace_digest"] = run.trace_digest;
  json["iterations"] = run.iterations;
  json["passes"] = run.passes;
  json["notes"] = Json::array();
  for (const std::string& note : results.notes) {
    json["notes"].push_back(note.starts_with(own) ? note.substr(own.size()) : note);
  }
  json["files"] = Json(files);
  json["digest"] = text_digest(dump(json));
  return dump(json);
}

/// Throws where the text was changed since it was written.
void check_own_digest(const fs::path& file, const JsonObject& read) {
  Json json = Json::parse(read.raw());
  json.erase("digest");
  if (text_digest(dump(json)) != read.string("digest")) read.refuse("digest", "does not fit");
  if (read.string("cell") != file.parent_path().filename()) {
    read.refuse("cell", "is not the name of its folder");
  }
}

}  // namespace

void write_cell(RunPlan plan, const fs::path& place, const RunShare& share) {
  plan.quiet = true;
  ResultFolder folder(place);
  RunShare given = share;
  given.bound_notes = false;  // a column tells; a note each cell would bury the others
  const RunResults results = run(plan, &folder, given);
  if (results.runs.front().interrupted) throw Interrupted();
  write_text_file(folder.path() / "cell.json",
                  cell_json(place.filename().string(), results, digests_of(folder.path())));
  folder.commit();
}

CellResult read_cell(const fs::path& place, bool all_files) {
  const fs::path file = place / "cell.json";
  const JsonObject json = JsonFile::read(file.string());
  check_own_digest(file, json);
  CellResult cell;
  cell.run.folder = json.string("folder");
  cell.run.trace_digest = json.string("trace_digest");
  cell.run.iterations = json.integer("iterations", 0, kMost);
  cell.run.passes = json.integer("passes", 0, kMost);
  cell.notes = json.strings("notes");
  const JsonObject files = json.object("files");
  for (const std::string& name : files.keys()) cell.files[name] = files.string(name);
  for (const auto& [name, digest] : cell.files) {
    if (!all_files && name != "summary.csv") continue;
    if (file_digest(place / name) != digest) {
      throw InputError((place / name).string(), 0, "", "is not what was written");
    }
  }
  const std::vector<Summary> rows = read_summaries(place / "summary.csv", false);
  if (rows.size() != 1) throw InputError((place / "summary.csv").string(), 0, "", "has two rows");
  cell.run.summary = rows.front();
  return cell;
}

CellResult make_listed_cell(const RunPlan& plan, const fs::path& place) {
  const std::string name = place.filename().string();
  const RunRow row = only_row(plan);
  SharedTraces traces;
  RunShare share;
  const SharedTrace trace = traces.of(plan, row.machine.settings, first_seed(plan));
  share.trace = trace.trace;
  if (const std::string made = cell_name(plan, row, trace.digest); made != name) {
    throw InputError(fmt::format(
        "run: --cell: this is the cell {}, not '{}': trace, settings or program are not those that "
        "were listed; list the cells again",
        made, name));
  }
  const FolderLock lock(fs::absolute(place).parent_path(), FolderLock::Mode::shared);
  std::error_code error;
  if (!fs::exists(place / "cell.json", error)) write_cell(plan, place, share);
  return read_cell(place, false);
}

}  // namespace tokenyard
