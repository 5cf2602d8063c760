#include "experiments/explain/recorded_runs.hpp"

#include <fmt/format.h>

#include <array>
#include <fstream>
#include <limits>
#include <optional>
#include <ostream>
#include <streambuf>

#include "experiments/compose_fleet.hpp"
#include "experiments/interrupt.hpp"
#include "experiments/record/observer_list.hpp"
#include "experiments/record/recorder.hpp"
#include "experiments/run_json.hpp"
#include "experiments/settings_json.hpp"
#include "sim/kernel/input_error.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

namespace fs = std::filesystem;

namespace {

/// Compares what is written to it with a file.
class ComparedWith final : public std::streambuf {
 public:
  explicit ComparedWith(const fs::path& file) : file_(file, std::ios::binary) {}

  bool same_to_the_end() { return same_ && file_.good() && file_.peek() == EOF; }

 protected:
  std::streamsize xsputn(const char* text, std::streamsize size) override {
    std::array<char, 1U << 14U> read{};
    for (std::streamsize done = 0; same_ && done < size;) {
      const auto part = std::min<std::streamsize>(size - done, std::ssize(read));
      file_.read(read.data(), part);
      same_ = file_.gcount() == part && std::equal(text + done, text + done + part, read.data());
      done += part;
    }
    return size;
  }
  int_type overflow(int_type character) override {
    const char text = traits_type::to_char_type(character);
    xsputn(&text, 1);
    return character;
  }

 private:
  std::ifstream file_;
  bool same_ = true;
};

JsonObject read_run_json(const fs::path& folder) {
  std::error_code error;
  if (!fs::is_directory(folder, error)) throw InputError(folder.string(), 0, "", "is no folder");
  if (!fs::exists(folder / "run.json", error)) {
    throw InputError(folder.string(), 0, "", "is no result folder (it has no run.json)");
  }
  return JsonFile::read((folder / "run.json").string());
}

constexpr std::int64_t kSeedMost = std::numeric_limits<std::int64_t>::max();

std::uint64_t seed_of(const JsonObject& run) {
  return static_cast<std::uint64_t>(run.integer("seed", 0, kSeedMost));
}

}  // namespace

RecordedRuns::RecordedRuns(const fs::path& folder, std::string trace)
    : folder_(folder), json_(read_run_json(folder)), trace_(std::move(trace)) {
  if (json_.string_or("command", "") != "run") {
    throw InputError(folder.string(), 0, "",
                     "is no folder of 'tokenyard run'; of a sweep, run the cell in question: "
                     "'tokenyard sweep --list-cells' has its command");
  }
  made_by_ = json_.string("tokenyard");
  for (const JsonObject& run : json_.objects("runs")) labels_.push_back(run.string("label"));
}

RecordedRun RecordedRuns::find(const std::string& label) const {
  RecordedRun found;
  std::string series;
  for (const JsonObject& run : json_.objects("runs")) {
    if (run.string("label") != label) continue;
    found.label = label;
    found.folder = folder_ / fs::path(run.string("folder")).filename();
    found.seed = seed_of(run);
    series = run.string("series");
  }
  if (found.label.empty()) {
    throw InputError(fmt::format("{}: has no label '{}'{}; it has {}", folder_.string(),
                                 printable(label), suggestion(label, labels_),
                                 printable(fmt::format("{}", fmt::join(labels_, ", ")))));
  }
  for (const JsonObject& row : json_.objects("rows")) {
    if (row.string("series") != series) continue;
    found.policy = row.string("policy");
    Settings settings = settings_from_json(row.object("settings"));
    if (settings.clock == "wall") {
      row.refuse("settings",
                 "a live run cannot be run again; explain its flight record instead "
                 "('run --record FILE', 'explain FILE')");
    }
    if (settings.executor == "engine") {
      found.machine = compose_machine(std::move(settings));
      if (found.machine.measures) {
        row.refuse("settings",
                   "its iterations took what they took: it cannot be run again; explain its "
                   "flight record instead ('run --record FILE', 'explain FILE')");
      }
      return found;
    }
    if (is_fleet(settings)) {
      row.refuse("settings",
                 "whom requests wait behind is told of one server, and there are several");
    }
    // What model and device imply is filled in; a cost model file is read from where it is kept.
    refuse_contradictions(settings);
    if (settings.server.kv.device_blocks == 0) row.refuse("settings", "no kv-blocks are given");
    std::optional<JsonObject> file;
    if (row.has("cost")) file = row.object("cost");
    found.machine.cost = compose_cost(settings, file ? &*file : nullptr);
    found.machine.settings = std::move(settings);
    return found;
  }
  throw InputError(
      fmt::format("{}: run.json tells no settings of '{}'", folder_.string(), printable(label)));
}

RunTrace RecordedRuns::trace(const RecordedRun& run) const {
  // Each seed has a trace, in order of appearance.
  std::size_t place = 0;
  std::uint64_t last_seed = json_.objects("runs").empty() ? 0 : seed_of(json_.objects("runs")[0]);
  for (const JsonObject& each : json_.objects("runs")) {
    if (seed_of(each) != std::exchange(last_seed, seed_of(each))) ++place;
    if (each.string("label") == run.label) break;
  }
  const auto traces = json_.objects("traces");
  if (place >= traces.size()) json_.refuse("traces", "has none of this run's seed");
  const JsonObject& told = traces[place];
  std::string source = trace_;
  if (source.empty()) {
    source = json_.has("plan") ? json_.object("plan").raw() : told.string("file");
  }
  std::error_code error;
  const bool is_file = source.empty() || source.front() != '{';
  if (is_file && !fs::exists(source, error)) {
    throw InputError(fmt::format(
        "{}: the trace of these results is not at '{}'; say where it is with --trace FILE",
        folder_.string(), printable(source)));
  }
  const TraceSource from{source, json_.string_or("format", ""), json_.string_or("zero", "drop"),
                         json_.flag_or("trust_ids", false)};
  RunTrace trace = compose_trace(from, run.machine.settings, run.seed);
  const std::string digest = trace.view()->digest();
  if (digest != told.string("digest")) {
    throw InputError(fmt::format(
        "{}: is not the trace of {}: its digest is {}, and that of the results' trace {}",
        is_file ? source : "the workload plan", folder_.string(), digest,
        printable(told.string("digest"))));
  }
  return trace;
}

void RecordedRuns::run_again(const RecordedRun& run, const RunTrace& trace,
                             Observer& observer) const {
  const std::unique_ptr<TraceView> view = trace.view();
  RequestNames names;
  names.requests = [&view](RequestId id) {
    const TraceView::Place place = view->place(index(id));
    return place.table().label(place.at);
  };
  names.tenants = trace.survey().tenants;
  std::vector<std::uint64_t> digests;
  if (run.machine.engine != nullptr) names.token_digests = &digests;

  ComparedWith recorded(run.folder / "requests.csv");
  std::ostream stream(&recorded);
  RequestsCsv requests_csv(stream, "requests.csv", std::move(names));
  RecorderOptions options;
  options.requests_csv = &requests_csv;
  Recorder recorder(options);
  InterruptWatch interrupts;
  ObserverList observers({&recorder, &interrupts, &observer});
  run_simulation(run.policy, run.machine, trace, *view, run.seed, observers, &digests);
  recorder.finish();
  if (recorded.same_to_the_end()) return;
  throw InputError(fmt::format(
      "{}: the run ends otherwise now, so that it cannot be explained; version {} made the folder, "
      "and this is {}",
      (run.folder / "requests.csv").string(), printable(made_by_), version()));
}

}  // namespace tokenyard
