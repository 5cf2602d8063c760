#include "experiments/cli/sweep_progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <iostream>

namespace tokenyard {

namespace {

constexpr auto kBetweenLines = std::chrono::milliseconds(200);
constexpr std::int64_t kBetweenLooks = 64;  // ended requests

}  // namespace

SweepProgress::SweepProgress(std::int64_t cells, std::int64_t requests, Progress::Elapsed elapsed,
                             std::ostream& out)
    : cells_(cells), requests_(requests), elapsed_(std::move(elapsed)), out_(out) {
  begun_ = printed_ = elapsed_();
}

SweepProgress::~SweepProgress() {
  if (visible_) out_ << "\r\033[K" << std::flush;
}

std::unique_ptr<SweepProgress> SweepProgress::on_terminal(std::int64_t cells, std::int64_t requests,
                                                          bool quiet) {
  if (quiet || cells == 0 || ::isatty(STDERR_FILENO) == 0) return nullptr;
  const auto elapsed = [] { return Duration(std::chrono::steady_clock::now().time_since_epoch()); };
  return std::make_unique<SweepProgress>(cells, requests, elapsed, std::cerr);
}

void SweepProgress::add_requests(std::int64_t ended) {
  requests_done_ += ended;
  show();
}

void SweepProgress::add_cell() {
  ++cells_done_;
  show();
}

void SweepProgress::show() {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock.owns_lock()) return;  // somebody else is at it
  const Duration now = elapsed_();
  const std::int64_t ended = requests_done_;
  if (now - printed_ < kBetweenLines || ended == 0) return;
  printed_ = now;
  const double done = std::min(1.0, static_cast<double>(ended) / static_cast<double>(requests_));
  const double passed = to_seconds(now - begun_);
  out_ << "\r\033[K"
       << fmt::format("{} of {} cells ({} %), {} left; {} requests/s", grouped(cells_done_),
                      grouped(cells_), static_cast<std::int64_t>(100 * done),
                      time_left(passed * (1 - done) / done),
                      grouped(static_cast<std::int64_t>(static_cast<double>(ended) / passed)))
       << std::flush;
  visible_ = true;
}

void CellTicks::ended(const RequestFacts&) {
  if (++ended_ < kBetweenLooks) return;
  progress_.add_requests(ended_);
  ended_ = 0;
}

}  // namespace tokenyard
