#include "experiments/capacity/slo.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "experiments/compare/gate.hpp"
#include "sim/kernel/input_error.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

namespace {

constexpr std::string_view kShare = ":share>=";

[[noreturn]] void refuse(std::string_view text, const std::string& why) {
  throw InputError(fmt::format("slo '{}': {}", printable(text), why));
}

std::optional<Duration>* place_of(LatencyBounds& bounds, std::string_view name) {
  if (name == "jct_s") return &bounds.jct;
  if (name == "ttft_s") return &bounds.ttft;
  if (name == "tpot_s") return &bounds.tpot;
  if (name == "normalized_latency_s") return &bounds.normalized_latency;
  return nullptr;
}

LatencyBounds parse_bounds(std::string_view text, std::string_view list) {
  LatencyBounds bounds;
  for (const std::string_view part : split(list, ',')) {
    const auto at = part.find("<=");
    auto* const place =
        at == std::string_view::npos ? nullptr : place_of(bounds, part.substr(0, at));
    if (place == nullptr) {
      refuse(text, fmt::format("expected jct_s, ttft_s, tpot_s or normalized_latency_s, <= and "
                               "seconds, found '{}'",
                               printable(part)));
    }
    const auto seconds = parse_number(part.substr(at + 2));
    constexpr double kMost = 1e9;
    if (!seconds || *seconds < 0 || *seconds > kMost) {
      refuse(text, fmt::format("expected seconds from 0 to 1e9 in '{}'", printable(part)));
    }
    if (*place) refuse(text, fmt::format("'{}' is bounded twice", part.substr(0, at)));
    *place = from_seconds(*seconds);
  }
  return bounds;
}

}  // namespace

Slo parse_slo(std::string_view text) {
  Slo slo;
  slo.text = text;
  const auto at = text.find(kShare);
  if (at != std::string_view::npos) {
    slo.bounds = parse_bounds(text, text.substr(0, at));
    const auto share = parse_number(text.substr(at + kShare.size()));
    if (!share || *share <= 0 || *share > 1) {
      refuse(text, "expected a share above 0 and at most 1, as in share>=0.9");
    }
    slo.at_most = false;
    slo.bound = *share;
    return slo;
  }
  if (text.find_first_of(",:") != std::string_view::npos) {
    refuse(text, "expected METRIC<=NUMBER, or ttft_s<=SECONDS,tpot_s<=SECONDS:share>=SHARE");
  }
  const Gate gate = parse_gate(text, "slo");
  if (gate.relative)
    refuse(text, "expected a value, not a change: there is nothing to change from");
  constexpr std::string_view kGrow[] = {"requests",
                                        "completed",
                                        "duration_s",
                                        "request_throughput",
                                        "output_token_throughput",
                                        "programs",
                                        "programs_completed"};
  if (std::find(std::begin(kGrow), std::end(kGrow), gate.metric) != std::end(kGrow)) {
    refuse(text, fmt::format("{} follows the rate itself; expected what load makes worse, such as "
                             "p99_ttft_s<=0.5",
                             gate.metric));
  }
  slo.metric = gate.metric;
  slo.at_most = gate.at_most;
  slo.bound = gate.bound;
  return slo;
}

std::optional<double> quantile_of(std::string_view metric) {
  if (!metric.starts_with('p')) return std::nullopt;
  const auto percent = parse_integer(metric.substr(1, metric.find('_') - 1));
  constexpr double kPercent = 0.01;
  if (!percent) return std::nullopt;
  return kPercent * static_cast<double>(*percent);
}

}  // namespace tokenyard
