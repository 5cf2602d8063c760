#include "sim/kernel/input_error.hpp"

#include <fmt/format.h>

namespace tokenyard {

namespace {

std::string place(std::string_view file, std::size_t line, std::string_view field) {
  std::string text(file);
  if (line > 0) text += fmt::format(":{}", line);
  if (!text.empty()) text += ": ";
  if (!field.empty()) text += fmt::format("{}: ", field);
  return text;
}

}  // namespace

InputError::InputError(std::string_view file, std::size_t line, std::string_view field,
                       std::string_view message)
    : std::runtime_error(place(file, line, field) + std::string(message)) {}

}  // namespace tokenyard
