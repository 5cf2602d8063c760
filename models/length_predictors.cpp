#include "models/length_predictors.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/random/normal_distribution.hpp>
#include <cmath>

#include "sim/kernel/input_error.hpp"
#include "sim/kernel/rng.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

namespace {

struct Inputs {
  const OutputOracle& oracle;
  double mean_output_tokens;
  std::uint64_t seed;
};

class Oracle final : public LengthPredictor {
 public:
  explicit Oracle(const Inputs& inputs) : oracle_(inputs.oracle) {}

  double output_tokens_mean(const RequestView& request) const override {
    return static_cast<double>(oracle_.output_tokens(request.id));
  }
  bool stands() const override { return true; }
  bool clairvoyant() const override { return true; }

 private:
  const OutputOracle& oracle_;
};

class Noisy final : public LengthPredictor {
 public:
  Noisy(const Inputs& inputs, double sigma)
      : oracle_(inputs.oracle), seed_(inputs.seed), sigma_(sigma) {}

  double output_tokens_mean(const RequestView& request) const override {
    Rng rng = named_stream(seed_, "predictor", index(request.id));
    const double z = boost::random::normal_distribution<double>()(rng);
    const auto truth = static_cast<double>(oracle_.output_tokens(request.id));
    // The upper end keeps a key that is made of it within 64 bits.
    constexpr double kMost = 1e12;
    return std::clamp(truth * std::exp(sigma_ * z), 1.0, kMost);
  }
  bool stands() const override { return true; }
  bool clairvoyant() const override { return true; }

 private:
  const OutputOracle& oracle_;
  std::uint64_t seed_;
  double sigma_;
};

class Mean final : public LengthPredictor {
 public:
  explicit Mean(const Inputs& inputs) : tokens_(std::max(1.0, inputs.mean_output_tokens)) {}

  double output_tokens_mean(const RequestView&) const override { return tokens_; }
  bool stands() const override { return true; }
  bool clairvoyant() const override { return false; }

 private:
  double tokens_;
};

struct Entry {
  const char* name;
  const char* summary;
  std::unique_ptr<LengthPredictor> (*make)(Parameters&, const Inputs&);
};

constexpr double kSigmaDefault = 0.5;
constexpr double kSigmaMost = 10;

const Entry kEntries[] = {
    {"oracle", "the true output length (clairvoyant)",
     [](Parameters&, const Inputs& inputs) -> std::unique_ptr<LengthPredictor> {
       return std::make_unique<Oracle>(inputs);
     }},
    {"noisy", "the true output length times a log-normal error (clairvoyant)",
     [](Parameters& parameters, const Inputs& inputs) -> std::unique_ptr<LengthPredictor> {
       const double sigma =
           parameters.number("sigma", kSigmaDefault, 0, kSigmaMost,
                             "standard deviation of the logarithm of predicted over true length");
       return std::make_unique<Noisy>(inputs, sigma);
     }},
    {"mean", "the mean output length of the trace, for every request",
     [](Parameters&, const Inputs& inputs) -> std::unique_ptr<LengthPredictor> {
       return std::make_unique<Mean>(inputs);
     }},
};

/// Stands in where only the parameters' declarations are wanted.
class NoOracle final : public OutputOracle {
 public:
  std::int64_t output_tokens(RequestId) const override { return 1; }
};

}  // namespace

std::unique_ptr<LengthPredictor> make_predictor(std::string_view text, const OutputOracle& oracle,
                                                double mean_output_tokens, std::uint64_t seed) {
  const auto colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  std::vector<std::string> known;
  for (const Entry& entry : kEntries) {
    known.emplace_back(entry.name);
    if (entry.name != name) continue;
    const std::string owner = fmt::format("predictor {}", name);
    if (colon + 1 == text.size()) {
      throw InputError(fmt::format("{}: expected key=value after ':'", owner));
    }
    auto parameters = Parameters::parse(
        owner, colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1));
    auto predictor = entry.make(parameters, {oracle, mean_output_tokens, seed});
    parameters.refuse_unread();
    return predictor;
  }
  const std::string hint = suggestion(name, known);
  throw InputError(
      fmt::format("unknown predictor '{}'{}", printable(name),
                  hint.empty() ? fmt::format("; known are {}", fmt::join(known, ", ")) : hint));
}

std::vector<PredictorHelp> describe_predictors() {
  const NoOracle oracle;
  std::vector<PredictorHelp> help;
  for (const Entry& entry : kEntries) {
    Parameters parameters;
    entry.make(parameters, {oracle, 1, 0});
    help.push_back({entry.name, entry.summary, parameters.declared()});
  }
  return help;
}

}  // namespace tokenyard
