#include "experiments/interrupt.hpp"

#include <csignal>

namespace tokenyard {

namespace {

volatile std::sig_atomic_t noted = 0;

void note(int) {
  noted = 1;
}

}  // namespace

void note_interrupts() {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) std::signal(signal, note);
}

bool interrupted() {
  return noted != 0;
}

void InterruptWatch::fed(Time, std::span<const Event>) {
  if (interrupted()) throw Interrupted();
}

}  // namespace tokenyard
