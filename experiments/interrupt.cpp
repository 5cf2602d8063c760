#include "experiments/interrupt.hpp"

#include <csignal>

namespace tokenyard {

namespace {

volatile std::sig_atomic_t interrupted = 0;

void note(int) {
  interrupted = 1;
}

}  // namespace

void note_interrupts() {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) std::signal(signal, note);
}

void InterruptWatch::fed(Time, std::span<const Event>) {
  if (interrupted != 0) throw Interrupted();
}

}  // namespace tokenyard
