#include "experiments/sweep/options.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "experiments/given_setting.hpp"
#include "sim/kernel/text.hpp"
#include "traces/reader.hpp"

namespace tokenyard {

namespace {

constexpr std::int64_t kMostSeed = 4'000'000'000'000'000'000;

std::uint64_t seed_of(const GivenSetting& given) {
  const auto seed = parse_integer(given.value);
  if (!seed || *seed < 0 || *seed > kMostSeed) {
    throw InputError(fmt::format("expected an integer from 0 to {}, found '{}'", kMostSeed,
                                 printable(given.value)));
  }
  return static_cast<std::uint64_t>(*seed);
}

bool flag_of(const GivenSetting& given) {
  if (given.value == "true" || given.value == "false") return given.value == "true";
  throw InputError(fmt::format("expected true or false, found '{}'", printable(given.value)));
}

/// An option of `run` that is no setting.
struct PlainOption {
  const char* name;
  void (*apply)(RunPlan& run, const GivenSetting& given);
};

constexpr PlainOption kPlain[] = {
    {"format", [](RunPlan& run, const GivenSetting& g) { run.format = g.value; }},
    {"zero",
     [](RunPlan& run, const GivenSetting& g) {
       parse_zero_tokens(g.value);
       run.zero = g.value;
     }},
    {"trust-ids", [](RunPlan& run, const GivenSetting& g) { run.trust_ids = flag_of(g); }},
    {"seed", [](RunPlan& run, const GivenSetting& g) { run.seed = seed_of(g); }},
    {"iterations", [](RunPlan& run, const GivenSetting& g) { run.iterations = flag_of(g); }},
    {"timeline", [](RunPlan& run, const GivenSetting& g) { run.timeline = flag_of(g); }},
    {"bound", [](RunPlan& run, const GivenSetting& g) { run.bound = flag_of(g); }},
};

const PlainOption* plain_option(const std::string& name) {
  const auto found = std::find_if(std::begin(kPlain), std::end(kPlain),
                                  [&](const PlainOption& option) { return option.name == name; });
  return found == std::end(kPlain) ? nullptr : found;
}

/// Options of `run` that no cell can have, and why.
struct Elsewhere {
  const char* name;
  const char* why;
};

constexpr Elsewhere kElsewhere[] = {
    {"system", "is an axis: give \"systems\" beside \"options\""},
    {"repeat", "is an axis: give \"seeds\" beside \"options\""},
    {"out", "belongs to the command line of the sweep"},
    {"json", "belongs to the command line of the sweep"},
    {"quiet", "belongs to the command line of the sweep"},
    {"help", "belongs to the command line of the sweep"},
};

bool is_flag(const std::string& setting) {
  const auto entries = setting_entries();
  return std::any_of(entries.begin(), entries.end(), [&](const SettingEntry& entry) {
    return entry.name == setting && entry.is_flag;
  });
}

}  // namespace

GivenSetting read_option(const JsonObject& options, const std::string& key) {
  const std::string name = option_name(key);
  for (const Elsewhere& other : kElsewhere) {
    if (name == other.name) options.refuse(key, other.why);
  }
  const PlainOption* plain = plain_option(name);
  if (plain == nullptr) return read_setting(options, key);
  GivenSetting given{name, options.scalar_text(key), key};
  at_key(options, key, [&] {
    RunPlan scratch;
    plain->apply(scratch, given);
  });
  return given;
}

void apply_options(RunPlan& run, const std::vector<GivenSetting>& options) {
  for (const GivenSetting& given : options) {
    if (const PlainOption* plain = plain_option(given.name)) {
      plain->apply(run, given);
    } else if (!is_flag(given.name) || given.value == "true") {
      run.settings.push_back(given);
    }
  }
}

std::vector<std::string> run_words(const RunPlan& run) {
  std::vector<std::string> words = {"run", run.trace};
  const auto add = [&words](const std::string& name, const std::string& value) {
    words.push_back("--" + name);
    words.push_back(value);
  };
  words.insert(words.end(), run.policies.begin(), run.policies.end());
  for (const std::string& system : run.systems) add("system", system);
  for (const GivenSetting& given : run.settings) {
    add(given.name, given.value);
    if (is_flag(given.name)) words.pop_back();
  }
  if (!run.format.empty()) add("format", run.format);
  if (run.zero != RunPlan().zero) add("zero", run.zero);
  if (run.trust_ids) words.emplace_back("--trust-ids");
  if (run.seed) add("seed", fmt::to_string(*run.seed));
  if (run.repeat > 1) add("repeat", fmt::to_string(run.repeat));
  if (run.iterations) words.emplace_back("--iterations");
  if (run.timeline) words.emplace_back("--timeline");
  if (run.bound) words.emplace_back("--bound");
  return words;
}

std::string shell_line(const std::vector<std::string>& words) {
  constexpr std::string_view kPlainCharacters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:=,@%+-";
  std::string line;
  for (const std::string& word : words) {
    if (!line.empty()) line += ' ';
    if (!word.empty() && word.find_first_not_of(kPlainCharacters) == std::string::npos) {
      line += word;
      continue;
    }
    line += '\'';
    for (const char c : word) line += c == '\'' ? std::string("'\\''") : std::string(1, c);
    line += '\'';
  }
  return line;
}

}  // namespace tokenyard
