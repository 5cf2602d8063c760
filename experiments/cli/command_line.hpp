#pragma once
// Reading one command's arguments: Boost.ProgramOptions with its traps closed (no guessing of
// abbreviated names, no argument dropped in silence).

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tokenyard {

/// One option of a command.
struct OptionRow {
  std::string name;      ///< without dashes in front
  std::string argument;  ///< what stands for its value in the help ("N"); empty: a flag
  std::string help;
  bool repeatable = false;
};

/// A command's arguments, read.
class CommandLine {
 public:
  /// Throws `InputError` for an unknown option (with the nearest known), a missing value or an
  /// option given twice. `command` is for messages ("run").
  CommandLine(std::string command, std::span<const std::string> arguments,
              std::vector<OptionRow> options);

  const std::vector<std::string>& positionals() const { return positionals_; }

  bool has(std::string_view name) const { return value(name).has_value(); }
  /// The value as given; "true" for a flag.
  std::optional<std::string> value(std::string_view name) const;
  /// All values of a repeatable option, in order.
  std::vector<std::string> values(std::string_view name) const;
  bool flag(std::string_view name) const { return value(name) == "true"; }
  /// An integer in a range, or `fallback`.
  std::int64_t integer(std::string_view name, std::int64_t least, std::int64_t most,
                       std::int64_t fallback) const;

  [[noreturn]] void refuse(std::string_view message) const;

 private:
  std::string command_;
  std::vector<std::string> positionals_;
  std::vector<std::pair<std::string, std::string>> given_;
};

/// The options as an aligned list for `--help`.
std::string options_help(std::span<const OptionRow> options);

}  // namespace tokenyard
