#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace tokenyard {

/// Bad input from outside (a file, an option, a parameter). The message is one line that names the
/// place and what was expected there. The command line prints it and exits with status 2.
/// Everything that reads input throws this and nothing else (docs/decisions/001).
class InputError : public std::runtime_error {
 public:
  explicit InputError(const std::string& message) : std::runtime_error(message) {}

  /// "FILE:LINE: FIELD: MESSAGE"; a line of 0 and an empty field are left out.
  InputError(std::string_view file, std::size_t line, std::string_view field,
             std::string_view message);
};

}  // namespace tokenyard
