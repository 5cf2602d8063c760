#include "experiments/cli/profile_progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>

#include "experiments/cli/progress.hpp"

namespace tokenyard {

ProfileProgress::ProfileProgress(bool quiet) : visible_(!quiet && ::isatty(STDERR_FILENO) != 0) {}

ProfileProgress::~ProfileProgress() {
  if (visible_) fmt::print(stderr, "\r\033[K");
}

void ProfileProgress::show(std::int64_t done, std::int64_t of) {
  constexpr auto kBetweenLines = std::chrono::milliseconds(200);
  const Duration now = clock_.now() - kOrigin;
  if (!visible_ || now - printed_ < kBetweenLines) return;
  printed_ = now;
  const double share = static_cast<double>(done) / static_cast<double>(of);
  fmt::print(stderr, "\r\033[Kprofile: {} of {} measurements ({:.0f} %), {} left", grouped(done),
             grouped(of), 100 * share, time_left(to_seconds(now) * (1 - share) / share));
  std::fflush(stderr);
}

}  // namespace tokenyard
