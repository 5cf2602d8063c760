#pragma once
// What arrival processes and length sources have in common: `name:key=value,key=value`, resolved
// against a table whose rows declare their parameters by reading them.

#include <fmt/format.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sim/kernel/input_error.hpp"
#include "sim/kernel/text.hpp"
#include "sim/ports/parameters.hpp"

namespace tokenyard {

/// A row of a table of generators. `Made` is what the row makes.
template <typename Made>
struct GeneratorEntry {
  const char* name;
  const char* summary;
  std::vector<std::string> required;  ///< parameters that have no default
  std::unique_ptr<Made> (*make)(Parameters& parameters);
};

/// What `tokenyard list` says about a generator.
struct GeneratorHelp {
  std::string name, summary;
  std::vector<Parameters::Declared> parameters;
};

/// Makes the generator that `spec` names; `kind` ("arrivals") is for messages. Throws `InputError`
/// for an unknown name, an unknown or missing parameter and a value out of range.
template <typename Made>
std::unique_ptr<Made> make_generator(std::string_view kind, std::string_view spec,
                                     std::span<const GeneratorEntry<Made>> table) {
  const auto colon = spec.find(':');
  const std::string_view name = spec.substr(0, colon);
  const std::string_view settings =
      colon == std::string_view::npos ? std::string_view() : spec.substr(colon + 1);
  std::vector<std::string> names;
  for (const auto& entry : table) {
    names.emplace_back(entry.name);
    if (name != entry.name) continue;
    Parameters parameters = Parameters::parse(fmt::format("{} {}", kind, name), settings);
    for (const auto& required : entry.required) {
      if (!parameters.given(required)) parameters.refuse(required, "is required");
    }
    auto made = entry.make(parameters);
    parameters.refuse_unread();
    return made;
  }
  throw InputError(fmt::format("unknown {} '{}'{}; known: {}", kind, printable(name),
                               suggestion(name, names), fmt::join(names, ", ")));
}

/// The parameters of every row, by having it read none.
template <typename Made>
std::vector<GeneratorHelp> describe_generators(std::span<const GeneratorEntry<Made>> table) {
  std::vector<GeneratorHelp> help;
  for (const auto& entry : table) {
    Parameters parameters;
    entry.make(parameters);
    auto& row = help.emplace_back(GeneratorHelp{entry.name, entry.summary, parameters.declared()});
    for (auto& parameter : row.parameters) {
      for (const auto& required : entry.required) {
        if (parameter.name == required) parameter.fallback = "required";
      }
    }
  }
  return help;
}

}  // namespace tokenyard
