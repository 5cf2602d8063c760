#include "experiments/cli/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <iostream>

namespace tokenyard {

namespace {

using std::chrono::milliseconds;

constexpr auto kBetweenLines = milliseconds(200);
constexpr auto kBetweenLooks = milliseconds(20);
constexpr std::size_t kWidest = 79;  // columns
constexpr std::int64_t kLongestStride = 4096;

}  // namespace

std::string time_left(double seconds) {
  const auto whole = static_cast<std::int64_t>(seconds + 0.5);
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{}:{:02} min", whole / 60, whole % 60);
  return fmt::format("{}:{:02} h", whole / 3600, whole % 3600 / 60);
}

std::string grouped(std::int64_t value) {
  std::string digits = std::to_string(value);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3) {
    digits.insert(static_cast<std::size_t>(at), ",");
  }
  return digits;
}

Progress::Progress(std::int64_t runs, Elapsed elapsed, std::ostream& out)
    : runs_(runs), elapsed_(std::move(elapsed)), out_(out) {
  begun_ = looked_ = printed_ = elapsed_();
}

Progress::~Progress() {
  if (visible_) out_ << "\r\033[K" << std::flush;
}

std::unique_ptr<Progress> Progress::on_terminal(std::int64_t runs, bool quiet) {
  if (quiet || ::isatty(STDERR_FILENO) == 0) return nullptr;
  const auto elapsed = [] { return Duration(std::chrono::steady_clock::now().time_since_epoch()); };
  return std::make_unique<Progress>(runs, elapsed, std::cerr);
}

void Progress::begin(std::string label, std::int64_t total) {
  ++run_;
  label_ = std::move(label);
  total_ = total;
  ended_ = 0;
  stride_ = next_look_ = 1;
  run_begun_ = looked_ = elapsed_();
}

void Progress::ended(const RequestFacts&) {
  step();
}

void Progress::step() {
  if (++ended_ >= next_look_) look();
}

void Progress::look() {
  const Duration now = elapsed_();
  // The stride follows the pace: a fast run looks every few thousand ends, a slow one at each.
  stride_ = now - looked_ < kBetweenLooks ? std::min(2 * stride_, kLongestStride)
                                          : std::max<std::int64_t>(1, stride_ / 2);
  looked_ = now;
  next_look_ = ended_ + stride_;
  if (now - printed_ < kBetweenLines) return;
  printed_ = now;
  out_ << "\r\033[K" << line(now) << std::flush;
  visible_ = true;
}

std::string Progress::line(Duration now) const {
  const double rate = static_cast<double>(ended_) / to_seconds(now - run_begun_);
  const double part =
      total_ > 0 ? std::min(1.0, static_cast<double>(ended_) / static_cast<double>(total_)) : 0;
  const double done = (static_cast<double>(run_ - 1) + part) / static_cast<double>(runs_);
  const std::string left = time_left(to_seconds(now - begun_) * (1 - done) / done);
  const auto percent = static_cast<std::int64_t>(100 * done);
  const std::string rate_text =
      rate < 10 ? fmt::format("{:.1f}", rate) : grouped(static_cast<std::int64_t>(rate));
  if (runs_ == 1) {
    return fmt::format("{}: {} of {} requests ({} %), {}/s, {} left", label_, grouped(ended_),
                       grouped(total_), percent, rate_text, left);
  }
  // A line that wraps could not be wiped: what matters stands first, the label may be cut.
  return fmt::format("{} of {} runs ({} %), {} left; {}/s: {}", grouped(run_), grouped(runs_),
                     percent, left, rate_text, label_)
      .substr(0, kWidest);
}

}  // namespace tokenyard
