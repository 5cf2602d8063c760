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
constexpr std::int64_t kLongestStride = 4096;

std::string time_left(double seconds) {
  const auto whole = static_cast<std::int64_t>(seconds + 0.5);
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{}:{:02} min", whole / 60, whole % 60);
  return fmt::format("{}:{:02} h", whole / 3600, whole % 3600 / 60);
}

/// With commas between the thousands.
std::string grouped(std::int64_t value) {
  std::string digits = std::to_string(value);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3) {
    digits.insert(static_cast<std::size_t>(at), ",");
  }
  return digits;
}

}  // namespace

Progress::Progress(std::string label, std::int64_t total, Elapsed elapsed, std::ostream& out)
    : label_(std::move(label)), total_(total), elapsed_(std::move(elapsed)), out_(out) {
  begun_ = looked_ = printed_ = elapsed_();
}

Progress::~Progress() {
  if (visible_) out_ << "\r\033[K" << std::flush;
}

std::unique_ptr<Progress> Progress::on_terminal(std::string label, std::int64_t total, bool quiet) {
  if (quiet || ::isatty(STDERR_FILENO) == 0) return nullptr;
  const auto elapsed = [] { return Duration(std::chrono::steady_clock::now().time_since_epoch()); };
  return std::make_unique<Progress>(std::move(label), total, elapsed, std::cerr);
}

void Progress::ended(const RequestFacts&) {
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
  const double rate = static_cast<double>(ended_) / to_seconds(now - begun_);
  const std::int64_t left = std::max<std::int64_t>(0, total_ - ended_);
  const std::int64_t percent = total_ > 0 ? std::min<std::int64_t>(100, 100 * ended_ / total_) : 0;
  out_ << fmt::format(
              "\r\033[K{}: {} of {} requests ({} %), {}/s, {} left", label_, grouped(ended_),
              grouped(total_), percent,
              rate < 10 ? fmt::format("{:.1f}", rate) : grouped(static_cast<std::int64_t>(rate)),
              time_left(static_cast<double>(left) / rate))
       << std::flush;
  visible_ = true;
}

}  // namespace tokenyard
