#include "traces/arrivals.hpp"

#include <array>
#include <boost/random/exponential_distribution.hpp>
#include <boost/random/gamma_distribution.hpp>

#include "traces/closed_arrivals.hpp"
#include "traces/modulated_arrivals.hpp"
#include "traces/renewal_gap.hpp"
#include "traces/servegen_arrivals.hpp"

namespace tokenyard {

namespace {

double read_rate(Parameters& parameters) {
  return parameters.number("rate", 1, 1e-6, 1e9, "mean requests per second");
}

constexpr const char* kCvHelp = "coefficient of variation of the gaps (1 is Poisson)";

/// Exponential gaps.
class Poisson final : public GapProcess {
 public:
  explicit Poisson(Parameters& parameters) : gap_(read_rate(parameters)) {}

  double gap_s(Rng& rng, ArrivalState&) const override {
    auto gap = gap_;
    return gap(rng);
  }

 private:
  boost::random::exponential_distribution<double> gap_;
};

/// Gamma gaps with mean 1 / rate and coefficient of variation cv: shape 1 / cv², scale cv² / rate.
class Gamma final : public GapProcess {
 public:
  explicit Gamma(Parameters& parameters) {
    const double rate = read_rate(parameters);
    const double cv = parameters.number("cv", 1, 0.01, 100, kCvHelp);
    gap_ = boost::random::gamma_distribution<double>(1 / (cv * cv), cv * cv / rate);
  }

  double gap_s(Rng& rng, ArrivalState&) const override {
    auto gap = gap_;
    return gap(rng);
  }

 private:
  boost::random::gamma_distribution<double> gap_;
};

/// Weibull gaps with mean 1 / rate and coefficient of variation cv.
class Weibull final : public GapProcess {
 public:
  explicit Weibull(Parameters& parameters)
      : mean_s_(1 / read_rate(parameters)),
        gap_(weibull_gap(weibull_shape(parameters.number("cv", 1, 0.01, 100, kCvHelp)))) {}

  double gap_s(Rng& rng, ArrivalState&) const override { return mean_s_ * gap_.draw(rng); }

 private:
  double mean_s_;
  UnitGap gap_;
};

/// Equal gaps.
class Uniform final : public GapProcess {
 public:
  explicit Uniform(Parameters& parameters) : gap_s_(1 / read_rate(parameters)) {}

  double gap_s(Rng&, ArrivalState&) const override { return gap_s_; }

 private:
  double gap_s_;
};

class Burst final : public GapProcess {
 public:
  double gap_s(Rng&, ArrivalState&) const override { return 0; }
};

template <typename Process>
std::unique_ptr<ArrivalProcess> make(Parameters& parameters) {
  return std::make_unique<Process>(parameters);
}

std::unique_ptr<ArrivalProcess> make_burst(Parameters&) {
  return std::make_unique<Burst>();
}

std::span<const GeneratorEntry<ArrivalProcess>> processes() {
  static const std::array<GeneratorEntry<ArrivalProcess>, 10> table = {{
      {"poisson", "independent exponential gaps", {"rate"}, make<Poisson>},
      {"gamma", "independent gamma gaps: burstier or calmer than Poisson", {"rate"}, make<Gamma>},
      {"weibull",
       "independent Weibull gaps: for cv above 1 a heavier tail than gamma",
       {"rate"},
       make<Weibull>},
      {"uniform", "equal gaps", {"rate"}, make<Uniform>},
      {"burst", "all at once, at the origin", {}, make_burst},
      {"mmpp",
       "Markov-modulated Poisson: the rate jumps between states; a rate of 0 gives on and off",
       {"rates", "sojourns_s"},
       make_mmpp},
      {"diurnal", "Poisson with a rate that follows a cosine of time", {"rate"}, make_diurnal},
      {"curve",
       "Poisson with a rate that is linear between given points",
       {"times_s", "rates"},
       make_curve},
      {"closed",
       "a closed loop: users who send the next request a think time after their last answer",
       {"users"},
       make_closed},
      {"servegen",
       "a mixture of recorded clients: a folder of ServeGen, with its lengths",
       {"folder"},
       make_servegen},
  }};
  return table;
}

/// The stream of a process that is drawn gap by gap.
class Gaps final : public ArrivalStream {
 public:
  Gaps(const GapProcess& process, std::uint64_t seed) : process_(process), seed_(seed) {}

  bool next(DrawnArrival& arrival) override {
    if (at_ != kNever) {
      Rng rng = named_stream(seed_, "arrivals", request_++);
      state_.now_s = to_seconds(at_ - kOrigin);
      const double gap_s = process_.gap_s(rng, state_);
      const bool late =
          !(gap_s <= to_seconds(kLongest)) || at_ - kOrigin + from_seconds(gap_s) > kLongest;
      at_ = late ? kNever : at_ + from_seconds(gap_s);
    }
    arrival.at = at_;
    return true;
  }

 private:
  const GapProcess& process_;
  std::uint64_t seed_;
  std::uint64_t request_ = 0;
  Time at_ = kOrigin;
  ArrivalState state_;
};

}  // namespace

std::unique_ptr<ArrivalStream> GapProcess::begin(std::uint64_t seed) const {
  return std::make_unique<Gaps>(*this, seed);
}

std::unique_ptr<ArrivalProcess> make_arrivals(std::string_view spec) {
  return make_generator("arrivals", spec, processes());
}

std::vector<GeneratorHelp> list_arrivals() {
  return describe_generators(processes());
}

}  // namespace tokenyard
