#include "experiments/cli/command_line.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/program_options.hpp>

#include "sim/kernel/input_error.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

namespace po = boost::program_options;

CommandLine::CommandLine(std::string command, std::span<const std::string> arguments,
                         std::vector<OptionRow> options)
    : command_(std::move(command)) {
  po::options_description description;
  std::vector<std::string> names;
  for (const OptionRow& row : options) {
    auto* value = po::value<std::string>();
    if (row.argument.empty()) value->implicit_value("true")->zero_tokens();
    description.add_options()(row.name.c_str(), value, "");
    names.push_back(row.name);
  }
  po::options_description positional_description;
  positional_description.add_options()("(positional)", po::value<std::vector<std::string>>(), "");
  positional_description.add(description);
  po::positional_options_description positional;
  positional.add("(positional)", -1);
  const int style = po::command_line_style::default_style & ~po::command_line_style::allow_guessing;
  po::parsed_options parsed(nullptr);
  try {
    parsed = po::command_line_parser(std::vector<std::string>(arguments.begin(), arguments.end()))
                 .options(positional_description)
                 .positional(positional)
                 .style(style)
                 .run();
  } catch (const po::unknown_option& error) {
    std::string name = error.get_option_name();
    name.erase(0, name.find_first_not_of('-'));
    refuse(fmt::format("unknown option '--{}'{}", printable(name), suggestion(name, names)));
  } catch (const po::error& error) {
    refuse(printable(error.what()));
  }
  for (const auto& option : parsed.options) {
    if (option.position_key >= 0) {
      positionals_.insert(positionals_.end(), option.value.begin(), option.value.end());
      continue;
    }
    const auto row = std::find_if(options.begin(), options.end(),
                                  [&](const OptionRow& r) { return r.name == option.string_key; });
    if (!row->repeatable && has(option.string_key)) {
      refuse(fmt::format("option '--{}' is given twice", option.string_key));
    }
    given_.emplace_back(option.string_key, option.value.empty() ? "true" : option.value.front());
  }
}

std::optional<std::string> CommandLine::value(std::string_view name) const {
  for (const auto& [key, value] : given_) {
    if (key == name) return value;
  }
  return std::nullopt;
}

std::vector<std::string> CommandLine::values(std::string_view name) const {
  std::vector<std::string> found;
  for (const auto& [key, value] : given_) {
    if (key == name) found.push_back(value);
  }
  return found;
}

std::int64_t CommandLine::integer(std::string_view name, std::int64_t least, std::int64_t most,
                                  std::int64_t fallback) const {
  const auto text = value(name);
  if (!text) return fallback;
  const auto number = parse_integer(*text);
  if (!number || *number < least || *number > most) {
    refuse(fmt::format("--{}: expected an integer from {} to {}, found '{}'", name, least, most,
                       printable(*text)));
  }
  return *number;
}

void CommandLine::refuse(std::string_view message) const {
  throw InputError(fmt::format("{}: {}", command_, message));
}

std::string options_help(std::span<const OptionRow> options) {
  std::vector<std::string> heads;
  std::size_t width = 0;
  for (const OptionRow& row : options) {
    heads.push_back("--" + row.name + (row.argument.empty() ? "" : " " + row.argument));
    width = std::max(width, heads.back().size());
  }
  std::string text;
  for (std::size_t i = 0; i < options.size(); ++i) {
    text += fmt::format("  {:<{}}  {}\n", heads[i], width, options[i].help);
  }
  return text;
}

}  // namespace tokenyard
