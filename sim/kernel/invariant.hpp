#pragma once
// Invariants: programmer errors that must never happen, checked in release builds too.
// The numbered list with its meaning is in docs/architecture.md.

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace tokenyard {

/// Thrown when an invariant broke: a fault of the program, not of its input. The command line
/// turns it into exit status 3.
class InvariantBroken : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

/// Throws `InvariantBroken` saying which invariant broke and the details of this case.
[[noreturn]] void break_invariant(std::string_view name, const std::string& details);

/// Asserts `holds`; `name` starts with the invariant's number ("I3 …"). The details are formatted
/// only on failure, so a check costs one branch.
template <typename... Args>
inline void invariant(bool holds, std::string_view name, fmt::format_string<Args...> details,
                      Args&&... args) {
  if (!holds) [[unlikely]] {
    break_invariant(name, fmt::format(details, std::forward<Args>(args)...));
  }
}

}  // namespace tokenyard
