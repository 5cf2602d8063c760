#include "traces/arrivals.hpp"

#include <array>
#include <boost/random/exponential_distribution.hpp>
#include <boost/random/gamma_distribution.hpp>

#include "sim/kernel/rng.hpp"

namespace tokenyard {

namespace {

double read_rate(Parameters& parameters) {
  return parameters.number("rate", 1, 1e-6, 1e9, "mean requests per second");
}

/// Exponential gaps.
class Poisson final : public ArrivalProcess {
 public:
  explicit Poisson(Parameters& parameters) : gap_(read_rate(parameters)) {}

  double gap_s(std::uint64_t seed, std::uint64_t request) const override {
    Rng rng = named_stream(seed, "arrivals", request);
    auto gap = gap_;
    return gap(rng);
  }

 private:
  boost::random::exponential_distribution<double> gap_;
};

/// Gamma gaps with mean 1 / rate and coefficient of variation cv: shape 1 / cv², scale cv² / rate.
class Gamma final : public ArrivalProcess {
 public:
  explicit Gamma(Parameters& parameters) {
    const double rate = read_rate(parameters);
    const double cv = parameters.number("cv", 1, 0.01, 100,
                                        "coefficient of variation of the gaps (1 is Poisson)");
    gap_ = boost::random::gamma_distribution<double>(1 / (cv * cv), cv * cv / rate);
  }

  double gap_s(std::uint64_t seed, std::uint64_t request) const override {
    Rng rng = named_stream(seed, "arrivals", request);
    auto gap = gap_;
    return gap(rng);
  }

 private:
  boost::random::gamma_distribution<double> gap_;
};

/// Equal gaps.
class Uniform final : public ArrivalProcess {
 public:
  explicit Uniform(Parameters& parameters) : gap_s_(1 / read_rate(parameters)) {}

  double gap_s(std::uint64_t, std::uint64_t) const override { return gap_s_; }

 private:
  double gap_s_;
};

class Burst final : public ArrivalProcess {
 public:
  double gap_s(std::uint64_t, std::uint64_t) const override { return 0; }
};

template <typename Process>
std::unique_ptr<ArrivalProcess> make(Parameters& parameters) {
  return std::make_unique<Process>(parameters);
}

std::unique_ptr<ArrivalProcess> make_burst(Parameters&) {
  return std::make_unique<Burst>();
}

std::span<const GeneratorEntry<ArrivalProcess>> processes() {
  static const std::array<GeneratorEntry<ArrivalProcess>, 4> table = {{
      {"poisson", "independent exponential gaps", {"rate"}, make<Poisson>},
      {"gamma", "independent gamma gaps: burstier or calmer than Poisson", {"rate"}, make<Gamma>},
      {"uniform", "equal gaps", {"rate"}, make<Uniform>},
      {"burst", "all at once, at the origin", {}, make_burst},
  }};
  return table;
}

}  // namespace

std::unique_ptr<ArrivalProcess> make_arrivals(std::string_view spec) {
  return make_generator("arrivals", spec, processes());
}

std::vector<GeneratorHelp> list_arrivals() {
  return describe_generators(processes());
}

}  // namespace tokenyard
