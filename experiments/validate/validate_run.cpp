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
#include "experiments/validate/end_watch.hpp"
#include "experiments/validate/turns.hpp"
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

/// The two forms of each run.
class Validator final : public TurnTaker {
 public:
  Validator(const ValidationPlan& plan, ValidationResults& results,
            std::function<void(std::int64_t, std::int64_t)> profiled)
      : plan_(plan), results_(results), profiled_(std::move(profiled)) {}

  void run() {
    compose_live();
    find_rows();
    check_input();
    TurnPlan turns;
    turns.policies = rows_.size();
    turns.repetitions = plan_.repetitions;
    if (machine_.settings.cost_file.empty()) {
      const ProfilePlan profile = engine_plan(machine_, plan_.profile);
      engine_ = profiled_engine(machine_, profile.limits);
      rounds_.emplace(*engine_, profile);
      turns.rounds_first = profile.rounds_least;
      turns.rounds_most = profile.rounds_most;
      turns.allowed = profile.allowed;
    }
    take_turns(turns, *this);
    if (rounds_) charge_by_all_rounds();
    find_load();
    const auto cost = compose_cost_file();
    for (std::size_t i = 0; i < rows_.size(); ++i) simulate(i, *cost);
    results_.validation = validate(results_.runs, ValidationGoals::at_load(results_.load));
  }

  Duration round() override {
    if (progress_) progress_->begin("profile", rounds_->measurements());
    return rounds_->measure([&] {
      if (progress_) progress_->step();
      if (advice_) return;  // the first rounds are done
      profiled_(++measured_, (plan_.profile.rounds_least + 1) * rounds_->measurements());
    });
  }

  /// What is known of the costs now advises all runs, and says which rate is the load asked for.
  void ready(std::int64_t rounds_to_come) override {
    if (rounds_) {
      take_cost(profile_of(*rounds_));
      results_.advice = results_.cost;
      set("cost", scratch_.path());
    } else {
      std::ifstream file(machine_.settings.cost_file, std::ios::binary);
      results_.cost.assign(std::istreambuf_iterator<char>(file), {});
    }
    advice_ = compose_cost_file();
    for (const RunPlan& row : rows_) check(simulated(row));
    constexpr std::int64_t kForTheLoad = 2;
    const auto runs = static_cast<std::int64_t>(rows_.size()) * (plan_.repetitions + 1);
    progress_ = Progress::on_terminal(runs + rounds_to_come + kForTheLoad, plan_.run.quiet);
    if (!plan_.load) return;
    results_.request_rate = *plan_.load * served_per_s();
    set("request-rate", format_number(results_.request_rate));
  }

  void live(std::size_t policy) override {
    RunPlan row = rows_[policy];
    row.settings = settings_;
    row.settings.push_back({"executor", "engine", "validate"});
    row.settings.push_back({"clock", "wall", "validate"});
    LiveRun& live = live_[policy].emplace_back();
    IterationWatch watch(live.iterations);
    const RunResult result = carry_out(row, &watch);
    if (result.interrupted) throw Interrupted();
    live.summary = result.summary;
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

  void take_cost(const Profile& profile) {
    results_.cost = cost_file_text(profile.file);
    write_cost_file(scratch_.path(), results_.cost);
  }

  void charge_by_all_rounds() {
    const Profile profile = profile_of(*rounds_);
    take_cost(profile);
    results_.notes.push_back(
        fmt::format("the first {} rounds of the profile advise policies, live and simulated; all "
                    "{} charge",
                    plan_.profile.rounds_least, profile.rounds));
    for (const std::string& note : profile.notes) results_.notes.push_back(note);
    for (const std::string& fault : profile.faults) {
      results_.notes.push_back("the profile is bad: " + fault);
    }
  }

  /// The cost model in the file of now.
  std::unique_ptr<CostModel> compose_cost_file() const {
    Settings settings;
    apply_settings(settings, settings_);
    const JsonObject text = JsonFile::read(settings.cost_file);
    return compose_cost(settings, &text);
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
    live_.resize(rows_.size());
  }

  /// Refuses what can be refused before anything is measured.
  void check_input() const {
    for (const std::string& policy : plan_.run.policies) compose_policy(policy);
    compose_trace(source_of(plan_.run), machine_.settings, first_seed(plan_.run));
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
    share.advice = advice_.get();
    RunResults found = tokenyard::run(row, nullptr, share);
    for (std::string& note : found.notes) {
      const bool known =
          std::find(results_.notes.begin(), results_.notes.end(), note) != results_.notes.end();
      if (!known) results_.notes.push_back(std::move(note));
    }
    return std::move(found.runs.front());
  }

  /// Requests a second that the first policy can serve, by simulation: all come at once.
  double served_per_s() {
    constexpr const char* kAtOnce = "1e9";
    RunPlan burst = simulated(rows_.front());
    burst.settings.push_back({"request-rate", kAtOnce, "validate"});
    EndWatch watch;
    carry_out(burst, &watch);
    return watch.served_per_s();
  }

  /// The load that was offered, by the costs that charge.
  void find_load() {
    if (!plan_.load) {
      EndWatch watch;
      carry_out(simulated(rows_.front()), &watch);
      results_.request_rate = watch.arriving_per_s();
    }
    results_.load = results_.request_rate / served_per_s();
    if (results_.load > 1) {
      results_.notes.push_back(fmt::format(
          "requests come {:.2f} times as fast as they can be served: JCT grows with the number of "
          "requests, and so does its error",
          results_.load));
    }
  }

  /// One policy simulated, beside its live runs.
  void simulate(std::size_t at, const CostModel& cost) {
    const RunPlan& row = rows_[at];
    LiveAndSimulated runs;
    runs.simulated = carry_out(simulated(row), nullptr).summary;
    runs.policy = runs.simulated.key.label;
    if (plan_.run.systems.size() > 1 && !row.policies.empty()) {
      runs.policy += "@" + row.systems.front();
    }
    for (LiveRun& live : live_[at]) {
      runs.live.push_back(std::move(live.summary));
      runs.iterations.push_back(charge(live.iterations, cost));
    }
    results_.runs.push_back(std::move(runs));
  }

  struct LiveRun {
    Summary summary;
    std::vector<MeasuredIteration> iterations;
  };

  const ValidationPlan& plan_;
  ValidationResults& results_;
  std::vector<GivenSetting> settings_;  ///< of all runs, live or simulated
  Machine machine_;
  std::function<void(std::int64_t, std::int64_t)> profiled_;
  std::unique_ptr<ProfiledMachine> engine_;  ///< null: costs were named
  std::optional<ProfileRounds> rounds_;      ///< of it
  std::int64_t measured_ = 0;                ///< in the first rounds
  ScratchFile scratch_;
  std::unique_ptr<CostModel> advice_;
  std::vector<RunPlan> rows_;
  std::vector<std::vector<LiveRun>> live_;  ///< by row
  std::unique_ptr<Progress> progress_;
};

}  // namespace

ValidationResults run_validation(const ValidationPlan& plan,
                                 const std::function<void(std::int64_t, std::int64_t)>& profiled) {
  ValidationResults results;
  Validator(plan, results, profiled).run();
  return results;
}

}  // namespace tokenyard
