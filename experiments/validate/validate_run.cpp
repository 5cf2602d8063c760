#include "experiments/validate/validate_run.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "experiments/cli/progress.hpp"
#include "experiments/compose.hpp"
#include "experiments/costs/engine_profile.hpp"
#include "experiments/interrupt.hpp"
#include "sim/kernel/input_error.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

namespace {

namespace fs = std::filesystem;

/// A cost model file for the runs to read, gone with the object.
class ScratchFile {
 public:
  ScratchFile()
      : path_(fs::temp_directory_path() / fmt::format("tokenyard-cost-{}.json", ::getpid())) {}
  ~ScratchFile() {
    std::error_code none;
    fs::remove(path_, none);
  }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;

  std::string path() const { return path_.string(); }

 private:
  fs::path path_;
};

/// When requests came and ended.
class EndWatch final : public Observer {
 public:
  bool watches_iterations() const override { return false; }
  void ended(const RequestFacts& facts) override {
    ends_.push_back(facts.ended);
    first_ = std::min(first_, facts.request.arrival);
    last_ = std::max(last_, facts.request.arrival);
  }

  /// Requests a second until nine tenths have ended: what comes after is a server that runs empty.
  double served_per_s() {
    std::sort(ends_.begin(), ends_.end());
    const std::size_t most = std::max<std::size_t>(1, ends_.size() * 9 / 10);
    const Duration until = std::max(Duration{1}, ends_[most - 1] - first_);
    return static_cast<double>(most) / to_seconds(until);
  }
  double arriving_per_s() const {
    const Duration span = std::max(Duration{1}, last_ - first_);
    return static_cast<double>(ends_.size() - 1) / to_seconds(span);
  }

 private:
  std::vector<Time> ends_;
  Time first_ = kNever;
  Time last_ = kOrigin;
};

/// The two forms of each run.
class Validator {
 public:
  Validator(const ValidationPlan& plan, ValidationResults& results)
      : plan_(plan), results_(results) {}

  void run(const std::function<void(std::int64_t, std::int64_t)>& profiled) {
    compose_live();
    find_cost(profiled);
    find_rows();
    const auto runs = static_cast<std::int64_t>(rows_.size()) * (plan_.repetitions + 1) + 1;
    progress_ = Progress::on_terminal(runs, plan_.run.quiet);
    find_load();
    for (const RunPlan& row : rows_) simulate(row);
    for (std::int64_t i = 0; i < plan_.repetitions; ++i) {
      // Each goes first in turn, so that what drifts is shared by all.
      for (std::size_t j = 0; j < rows_.size(); ++j) {
        run_live((j + static_cast<std::size_t>(i)) % rows_.size());
      }
    }
    results_.validation = validate(results_.runs, ValidationGoals::at_load(results_.load));
  }

 private:
  static bool is_engines(const std::string& name) {
    return name == "weights" || name == "dtype" || name == "kv-cache-dtype" || name == "threads";
  }

  void set(const std::string& name, const std::string& value) {
    settings_.push_back({name, value, "validate"});
  }

  void compose_live() {
    for (const GivenSetting& each : plan_.run.settings) {
      if (each.name == "executor" || each.name == "clock") {
        throw InputError(each.place + ": validate runs both, live and simulated; leave it out");
      }
      if (each.name == "request-rate" && plan_.load) {
        throw InputError("validate: --load sets the request rate; leave --request-rate out");
      }
      settings_.push_back(each);
    }
    Settings settings;
    settings.executor = "engine";
    settings.clock = "wall";
    apply_settings(settings, settings_);
    machine_ = compose_machine(std::move(settings));
    const Settings& resolved = machine_.settings;
    set("kv-blocks", fmt::to_string(resolved.server.kv.device_blocks));
    if (resolved.server.kv.evict != Evict::recompute) {
      set("host-blocks", fmt::to_string(resolved.server.kv.host_blocks));
    }
    set("max-model-len", fmt::to_string(resolved.server.limits.max_model_len));
  }

  void find_cost(const std::function<void(std::int64_t, std::int64_t)>& profiled) {
    if (!machine_.settings.cost_file.empty()) {
      std::ifstream file(machine_.settings.cost_file, std::ios::binary);
      results_.cost.assign(std::istreambuf_iterator<char>(file), {});
    } else {
      const Profile profile = profile_engine(machine_, plan_.profile, profiled);
      write_cost_file(scratch_.path(), cost_file_text(profile.file));
      results_.cost = cost_file_text(profile.file);
      for (const std::string& note : profile.notes) results_.notes.push_back(note);
      for (const std::string& fault : profile.faults) {
        results_.notes.push_back("the profile is bad: " + fault);
      }
      set("cost", scratch_.path());
    }
    Settings settings;
    apply_settings(settings, settings_);
    const JsonObject text = JsonFile::read(settings.cost_file);
    cost_ = compose_cost(settings, &text);
  }

  /// A plan for each policy (under each system).
  void find_rows() {
    RunPlan one = plan_.run;
    one.repeat = 1;
    one.quiet = true;
    const auto with_policies = [&] {
      if (plan_.run.policies.empty()) rows_.push_back(one);
      for (const std::string& policy : plan_.run.policies) {
        one.policies = {policy};
        rows_.push_back(one);
      }
    };
    if (plan_.run.systems.empty()) with_policies();
    for (const std::string& system : plan_.run.systems) {
      one.systems = {system};
      with_policies();
    }
  }

  RunPlan simulated(RunPlan row) const {
    row.settings.clear();
    for (const GivenSetting& each : settings_) {
      if (!is_engines(each.name)) row.settings.push_back(each);
    }
    return row;
  }

  RunResult carry_out(const RunPlan& row, Observer* watcher) {
    RunShare share;
    share.watcher = watcher;
    share.progress = progress_.get();
    share.like = &machine_;
    RunResults found = tokenyard::run(row, nullptr, share);
    for (std::string& note : found.notes) {
      const bool known =
          std::find(results_.notes.begin(), results_.notes.end(), note) != results_.notes.end();
      if (!known) results_.notes.push_back(std::move(note));
    }
    return std::move(found.runs.front());
  }

  /// All requests at once show what can be served; then the rate follows from the load, or the
  /// other way round.
  void find_load() {
    constexpr const char* kAtOnce = "1e9";
    RunPlan burst = simulated(rows_.front());
    burst.settings.push_back({"request-rate", kAtOnce, "validate"});
    EndWatch served;
    carry_out(burst, &served);
    const double most = served.served_per_s();
    if (plan_.load) {
      results_.request_rate = *plan_.load * most;
      set("request-rate", format_number(results_.request_rate));
    } else {
      EndWatch watch;
      carry_out(simulated(rows_.front()), &watch);
      results_.request_rate = watch.arriving_per_s();
    }
    results_.load = results_.request_rate / most;
    if (results_.load > 1) {
      results_.notes.push_back(fmt::format(
          "requests come {:.2f} times as fast as they can be served: JCT grows with the number of "
          "requests, and so does its error",
          results_.load));
    }
  }

  void simulate(const RunPlan& row) {
    LiveAndSimulated runs;
    runs.simulated = carry_out(simulated(row), nullptr).summary;
    runs.policy = runs.simulated.key.label;
    if (plan_.run.systems.size() > 1 && !row.policies.empty()) {
      runs.policy += "@" + row.systems.front();
    }
    results_.runs.push_back(std::move(runs));
  }

  void run_live(std::size_t at) {
    RunPlan row = rows_[at];
    row.settings = settings_;
    row.settings.push_back({"executor", "engine", "validate"});
    row.settings.push_back({"clock", "wall", "validate"});
    std::vector<ChargedIteration> charged;
    IterationWatch watch(*cost_, charged);
    const RunResult result = carry_out(row, &watch);
    if (result.interrupted) throw Interrupted();
    results_.runs[at].live.push_back(result.summary);
    results_.runs[at].iterations.push_back(std::move(charged));
  }

  const ValidationPlan& plan_;
  ValidationResults& results_;
  std::vector<GivenSetting> settings_;  ///< of all runs, live or simulated
  Machine machine_;
  ScratchFile scratch_;
  std::unique_ptr<CostModel> cost_;
  std::vector<RunPlan> rows_;
  std::unique_ptr<Progress> progress_;
};

}  // namespace

ValidationResults run_validation(const ValidationPlan& plan,
                                 const std::function<void(std::int64_t, std::int64_t)>& profiled) {
  ValidationResults results;
  Validator(plan, results).run(profiled);
  return results;
}

}  // namespace tokenyard
