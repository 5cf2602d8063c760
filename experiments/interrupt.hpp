#pragma once

#include <stdexcept>
#include <string>

#include "sim/ports/observer.hpp"

namespace tokenyard {

/// Thrown out of a run that the user stopped (SIGINT, SIGTERM, SIGHUP): what was half-written is
/// removed on the way. The command line turns it into exit status 130.
class Interrupted : public std::runtime_error {
 public:
  Interrupted() : Interrupted("interrupted; no results were written") {}
  explicit Interrupted(const std::string& message) : std::runtime_error(message) {}
};

/// From now on the signals above are only noted. Process-wide.
void note_interrupts();

/// Whether one of these signals has come.
bool interrupted();

/// Throws `Interrupted` at the next pass after such a signal. Steers nothing otherwise.
class InterruptWatch final : public Observer {
 public:
  bool watches_iterations() const override { return false; }
  void fed(Time now, std::span<const Event> due) override;
};

}  // namespace tokenyard
