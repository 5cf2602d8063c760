#include "experiments/cli/explain_command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "experiments/cli/command_line.hpp"
#include "experiments/explain/explanation_csv.hpp"
#include "experiments/explain/recorded_flight.hpp"
#include "experiments/record/result_folder.hpp"
#include "experiments/run_json.hpp"
#include "sim/kernel/input_error.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

namespace fs = std::filesystem;

namespace {

constexpr const char* kUsage =
    "tokenyard explain DIR|RECORD [--request ID] [options]\n"
    "\n"
    "Says where time went in the runs of a result folder ('tokenyard run --out DIR'), or in the\n"
    "run of a flight record ('tokenyard run --record FILE'), which may have been live.\n"
    "\n"
    "With --request ID (as in requests.csv): that request's life as a waterfall, and whom it\n"
    "waited behind. It waits whenever it is not in the batch; each nanosecond of that is shared\n"
    "out among the requests that ran meanwhile, by the tokens that each had computed, and the\n"
    "shares add up to the waiting exactly. 'first turn' is its time in the queue, 'later' the "
    "time\n"
    "held back, evicted or waiting for copies of its KV.\n"
    "\n"
    "Without: for each run a table of how long requests of each class waited while those of each\n"
    "class ran. Much waiting of short requests in the columns of long ones is head-of-line\n"
    "blocking. 'nobody' is when nothing ran at all, for copies or a policy that holds back.\n"
    "\n"
    "Nothing is kept for this while a run goes on: it is run again from run.json and its trace,\n"
    "and must end as its requests.csv says, to the last byte. A record is replayed; it knows\n"
    "requests and tenants by number, from 0 in the order of requests.csv.\n"
    "\n"
    "Examples:\n"
    "  tokenyard run trace.csv fcfs srpt --model opt-13b --device a100-40g --out results\n"
    "  tokenyard explain results\n"
    "  tokenyard explain results --by prompt --label fcfs\n"
    "  tokenyard explain results --label fcfs --request 17 --top 5 --out why\n"
    "  tokenyard run trace.csv fcfs --weights model --executor engine --clock wall --record f.gz\n"
    "  tokenyard explain f.gz\n\n";

std::vector<OptionRow> option_rows() {
  return {
      {"request", "ID", "one request, as the trace names it"},
      {"label", "LABEL", "one run of the folder (all of them)"},
      {"by", "CLASS", "classes: output or prompt (tokens), tenant, priority (output)"},
      {"top", "N", "how many requests are listed by name (10)"},
      {"trace", "FILE", "where the trace is now (where run.json says)"},
      {"out", "DIR", "write CSV files: waterfall and behind of a request, or classes and delays"},
      {"json", "", "machine-readable result on standard output, with everything"},
      {"quiet", "",
       "nothing on standard output: the exit status says whether it can be run "
       "again"},
      {"help", "", "this text"}};
}

/// What was asked, of one run after another.
class Answers {
 public:
  explicit Answers(const CommandLine& line)
      : request_(line.value("request")), by_(line.value("by").value_or("output")) {
    if (request_ && line.has("by")) line.refuse("--by sorts all requests, --request is about one");
    constexpr std::int64_t kMostListed = 1'000'000;
    constexpr std::int64_t kListed = 10;
    top_ = static_cast<std::size_t>(line.integer("top", 0, kMostListed, kListed));
  }

  /// `run...` is what `explain_request` and `explain_classes` take.
  template <typename... Run>
  void add(const Run&... run) {
    if (!json_.empty()) {
      json_ += ",\n";
      text_ += "\n";
    }
    if (request_) {
      const RequestExplanation explanation = explain_request(run..., *request_);
      json_ += explanation_json(explanation);
      text_ += explanation_text(explanation, top_);
      tables_.add(explanation);
    } else {
      const ClassExplanation explanation = explain_classes(run..., by_);
      json_ += explanation_json(explanation);
      text_ += explanation_text(explanation);
      tables_.add(explanation);
    }
  }

  std::string json() const {
    return fmt::format("{{\"tokenyard\":\"{}\",\"runs\":[\n{}\n]}}\n", version(), json_);
  }
  const std::string& text() const { return text_; }

  void write(const ResultFolder& folder, const std::string& source) const {
    const auto put = [&](const char* name, const std::string& text) {
      write_text_file(folder.path() / name, text);
    };
    put(request_ ? "waterfall.csv" : "classes.csv", request_ ? tables_.waterfall : tables_.classes);
    put(request_ ? "behind.csv" : "delays.csv", request_ ? tables_.behind : tables_.delays);
    nlohmann::ordered_json json;
    json["tokenyard"] = version();
    json["command"] = "explain";
    json["of"] = source;
    if (request_) json["request"] = *request_;
    if (!request_) json["by"] = by_;
    constexpr auto kReplace = nlohmann::ordered_json::error_handler_t::replace;
    put("run.json", json.dump(2, ' ', false, kReplace) + "\n");
  }

 private:
  std::optional<std::string> request_;
  std::string by_;
  std::size_t top_ = 0;
  std::string json_, text_;
  ExplanationTables tables_;
};

void explain_folder(const std::string& folder, const CommandLine& line, Answers& answers) {
  const RecordedRuns runs(folder, line.value("trace").value_or(""));
  std::vector<std::string> labels = runs.labels();
  if (const auto label = line.value("label")) labels = {*label};
  for (const std::string& label : labels) answers.add(runs, runs.find(label));
}

void explain_record(const std::string& record, const CommandLine& line, Answers& answers) {
  if (line.has("label")) line.refuse("--label is for folders; a flight record holds one run");
  if (line.has("trace")) line.refuse("--trace is for folders; a flight record needs no trace");
  const RecordedFlight flight(record);
  answers.add(flight.run());
}

/// A result folder takes the place of an earlier one, which must not hold what is explained.
void refuse_to_replace(const fs::path& source, const fs::path& out) {
  std::error_code error;
  const fs::path from = fs::weakly_canonical(source, error);
  fs::path place = fs::weakly_canonical(out, error);
  if (place.filename().empty()) place = place.parent_path();
  const auto [end, rest] = std::mismatch(place.begin(), place.end(), from.begin(), from.end());
  if (end == place.end()) {
    throw InputError("--out", 0, "",
                     fmt::format("'{}' holds what is to be explained", out.string()));
  }
}

}  // namespace

int run_explain_command(const std::vector<std::string>& arguments) {
  const std::vector<OptionRow> rows = option_rows();
  const CommandLine line("explain", arguments, rows);
  if (line.flag("help")) {
    fmt::print("{}{}", kUsage, options_help(rows));
    return 0;
  }
  const auto& positionals = line.positionals();
  if (positionals.empty()) line.refuse("no DIR or RECORD given; see 'tokenyard explain --help'");
  if (positionals.size() > 1) {
    line.refuse(fmt::format("one is enough; what is '{}'?", printable(positionals[1])));
  }
  const std::string& source = positionals.front();
  Answers answers(line);
  std::optional<ResultFolder> folder;
  if (const auto out = line.value("out")) {
    refuse_to_replace(source, *out);
    folder.emplace(*out);
  }
  std::error_code error;
  if (fs::is_regular_file(source, error)) {
    explain_record(source, line, answers);
  } else {
    explain_folder(source, line, answers);
  }
  if (folder) {
    answers.write(*folder, source);
    folder->commit();
  }
  if (line.flag("json")) {
    fmt::print("{}", answers.json());
  } else if (!line.flag("quiet")) {
    fmt::print("{}", answers.text());
    if (const auto out = line.value("out")) fmt::print("tables are in {}\n", *out);
  }
  return 0;
}

}  // namespace tokenyard
