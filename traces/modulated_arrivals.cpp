#include "traces/modulated_arrivals.hpp"

#include <algorithm>
#include <boost/random/exponential_distribution.hpp>
#include <boost/random/uniform_01.hpp>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>
#include <vector>

namespace tokenyard {

namespace {

constexpr double kMostRate = 1e9;
constexpr double kMostSeconds = 3e9;

double exponential(Rng& rng, double rate) {
  boost::random::exponential_distribution<double> time(rate);
  return time(rng);
}

/// An index by weight.
std::size_t weighted(Rng& rng, const std::vector<double>& weights) {
  boost::random::uniform_01<double> unit;
  double left = unit(rng) * std::accumulate(weights.begin(), weights.end(), 0.0);
  std::size_t at = 0;
  while (at + 1 < weights.size() && left >= weights[at]) left -= weights[at++];
  return at;
}

class Mmpp final : public GapProcess {
 public:
  explicit Mmpp(Parameters& parameters)
      : rates_(parameters.numbers("rates", "1/10", 0, kMostRate,
                                  "requests per second in each state, two or more")),
        sojourns_s_(parameters.numbers("sojourns_s", "60/10", 1e-6, kMostSeconds,
                                       "mean time in each state, in seconds")) {
    if (rates_.size() < 2) parameters.refuse("rates", "at least two states are needed");
    if (rates_.size() != sojourns_s_.size()) {
      parameters.refuse("sojourns_s", fmt::format("{} values are given for {} rates",
                                                  sojourns_s_.size(), rates_.size()));
    }
    // Fewer requests than one in a thousand changes of state would take for ever to draw.
    double requests_per_sojourn = 0;
    for (std::size_t i = 0; i < rates_.size(); ++i) {
      requests_per_sojourn += rates_[i] * sojourns_s_[i] / static_cast<double>(rates_.size());
    }
    if (requests_per_sojourn < 1e-3) {
      parameters.refuse("rates", "a sojourn must see 0.001 requests or more in the mean");
    }
  }

  /// Both clocks are memoryless, so at an arrival only the state is known of the past.
  double gap_s(Rng& rng, ArrivalState& state) const override {
    if (!state.phase) state.phase = weighted(rng, sojourns_s_);
    boost::random::uniform_01<double> unit;
    double gap = 0;
    for (;;) {
      const std::size_t phase = *state.phase;
      const double leave = 1 / sojourns_s_[phase];
      const double either = rates_[phase] + leave;
      gap += exponential(rng, either);
      if (unit(rng) * either < rates_[phase]) return gap;
      const auto others = static_cast<double>(rates_.size() - 1);
      const auto step =
          1 + std::min(static_cast<std::size_t>(unit(rng) * others), rates_.size() - 2);
      state.phase = (phase + step) % rates_.size();
    }
  }

 private:
  std::vector<double> rates_, sojourns_s_;
};

/// Drawn by inversion: the integral of the rate over a gap is exponential with mean 1 (Cinlar,
/// "Introduction to Stochastic Processes", 1975, section 4.7), which costs the same however deep
/// the trough is.
class Diurnal final : public GapProcess {
 public:
  explicit Diurnal(Parameters& parameters)
      : rate_(parameters.number("rate", 1, 1e-6, kMostRate, "mean requests per second")),
        amplitude_(parameters.number("amplitude", 0.5, 0, 1,
                                     "the peak is rate x (1 + amplitude), the trough rate x (1 - "
                                     "amplitude)")),
        period_s_(parameters.number("period_s", 86'400, 1e-3, kMostSeconds,
                                    "time from peak to peak, in seconds")),
        peak_s_(parameters.number("peak_s", 0, -kMostSeconds, kMostSeconds,
                                  "when a peak is, in seconds from the origin")) {}

  double gap_s(Rng& rng, ArrivalState& state) const override {
    const double wanted = exponential(rng, 1);
    const double angle = 2 * std::numbers::pi / period_s_;
    const double from = angle * (state.now_s - peak_s_);
    const auto requests = [&](double gap) {
      // sin(from + angle gap) - sin(from), without cancellation where the gap is short.
      const double rise = 2 * std::cos(from + angle * gap / 2) * std::sin(angle * gap / 2);
      return rate_ * (gap + amplitude_ / angle * rise);
    };
    double low = wanted / (rate_ * (1 + amplitude_));
    double high = wanted / rate_ + 2 * amplitude_ / angle;
    constexpr int kSteps = 100;
    for (int step = 0; step < kSteps && high - low > 1e-10; ++step) {
      const double middle = std::midpoint(low, high);
      (requests(middle) < wanted ? low : high) = middle;
    }
    return std::midpoint(low, high);
  }

 private:
  double rate_, amplitude_, period_s_, peak_s_;
};

class Curve final : public GapProcess {
 public:
  explicit Curve(Parameters& parameters)
      : times_s_(parameters.numbers("times_s", "0/3600", 0, kMostSeconds,
                                    "seconds from the origin, ascending")),
        rates_(
            parameters.numbers("rates", "1/1", 0, kMostRate, "requests per second at these times")),
        period_s_(parameters.number("period_s", 0, 0, kMostSeconds,
                                    "begin again after so many seconds; 0: never")) {
    if (rates_.size() != times_s_.size()) {
      parameters.refuse(
          "rates", fmt::format("{} values are given for {} times", rates_.size(), times_s_.size()));
    }
    for (std::size_t i = 1; i < times_s_.size(); ++i) {
      if (times_s_[i] < times_s_[i - 1]) parameters.refuse("times_s", "must ascend");
    }
    if (period_s_ > 0 && period_s_ < times_s_.back()) {
      parameters.refuse("period_s", "is shorter than the curve");
    }
    add_corner(0, rates_.front());
    for (std::size_t i = 0; i < rates_.size(); ++i) add_corner(times_s_[i], rates_[i]);
    if (period_s_ > 0) add_corner(period_s_, rates_.back());
    if (period_s_ > 0 && corners_.back().requests < 1e-3) {
      parameters.refuse("rates", "a period must see 0.001 requests or more in the mean");
    }
  }

  double gap_s(Rng& rng, ArrivalState& state) const override {
    const double begin = period_s_ > 0 ? std::fmod(state.now_s, period_s_) : state.now_s;
    double wanted = requests_until(begin) + exponential(rng, 1);
    double gap = -begin;
    if (period_s_ > 0) {
      const double whole = std::floor(wanted / corners_.back().requests);
      wanted -= whole * corners_.back().requests;
      gap += whole * period_s_;
    }
    return std::max(0.0, gap + time_of(wanted));
  }

 private:
  struct Corner {
    double at_s = 0, rate = 0;
    double requests = 0;  ///< expected until then
  };

  void add_corner(double at_s, double rate) {
    double requests = 0;
    if (!corners_.empty()) {
      const Corner& last = corners_.back();
      requests = last.requests + (at_s - last.at_s) * std::midpoint(last.rate, rate);
    }
    corners_.push_back({at_s, rate, requests});
  }

  /// By how much the rate rises each second after this corner.
  double slope(std::size_t corner) const {
    if (corner + 1 == corners_.size()) return 0;
    const Corner& from = corners_[corner];
    const Corner& to = corners_[corner + 1];
    return to.at_s > from.at_s ? (to.rate - from.rate) / (to.at_s - from.at_s) : 0;
  }

  double requests_until(double at_s) const {
    const auto next = std::ranges::upper_bound(corners_, at_s, {}, &Corner::at_s);
    const auto corner = static_cast<std::size_t>(next - corners_.begin()) - 1;
    const double past = at_s - corners_[corner].at_s;
    return corners_[corner].requests + past * (corners_[corner].rate + slope(corner) * past / 2);
  }

  /// The inverse: the root of the quadratic, in the form that needs no difference of near numbers.
  double time_of(double requests) const {
    const auto next = std::ranges::upper_bound(corners_, requests, {}, &Corner::requests);
    const auto corner = static_cast<std::size_t>(next - corners_.begin()) - 1;
    const Corner& from = corners_[corner];
    const double left = requests - from.requests;
    const double root = std::sqrt(std::max(0.0, from.rate * from.rate + 2 * slope(corner) * left));
    if (from.rate + root == 0) return std::numeric_limits<double>::infinity();
    return from.at_s + 2 * left / (from.rate + root);
  }

  std::vector<double> times_s_, rates_;
  double period_s_;
  std::vector<Corner> corners_;
};

}  // namespace

std::unique_ptr<ArrivalProcess> make_mmpp(Parameters& parameters) {
  return std::make_unique<Mmpp>(parameters);
}

std::unique_ptr<ArrivalProcess> make_diurnal(Parameters& parameters) {
  return std::make_unique<Diurnal>(parameters);
}

std::unique_ptr<ArrivalProcess> make_curve(Parameters& parameters) {
  return std::make_unique<Curve>(parameters);
}

}  // namespace tokenyard
