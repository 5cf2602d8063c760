#include "traces/heavy_tailed_lengths.hpp"

#include <algorithm>
#include <boost/random/uniform_01.hpp>
#include <cmath>
#include <optional>
#include <vector>

#include "traces/rank_correlation.hpp"
#include "traces/trace_request.hpp"

namespace tokenyard {

namespace {

/// Bounds the table of a Zipf law: 32 MB.
constexpr std::int64_t kWidestZipf = 4'194'304;

class ZipfLengths final : public LengthSource {
 public:
  explicit ZipfLengths(Parameters& parameters) {
    const double theta = parameters.number("theta", 0.6, 0, 20, "the law's exponent; 0: uniform");
    least_ = parameters.integer("min", 2, 1, kMostTokens, "fewest tokens");
    const std::int64_t most = parameters.integer("max", 2, 1, kMostTokens, "most tokens");
    each_ =
        parameters.choice("of", {"total", "each"},
                          "the law is that of prompt + output, or of prompt and of output") == 1;
    ratio_ = parameters.number("prompt_to_output", 1, 1e-6, 1e6,
                               "prompt tokens for each output token, with of=total");
    correlation_.emplace(parameters);
    if (each_ && parameters.given("prompt_to_output")) {
      parameters.refuse("prompt_to_output", "goes with of=total");
    }
    if (!each_ && parameters.given("correlation")) {
      parameters.refuse("correlation", "goes with of=each: a total decides both");
    }
    if (!each_ && least_ < 2) parameters.refuse("min", "a prompt and an output are 2 at least");
    if (most < least_ || most - least_ >= kWidestZipf) {
      parameters.refuse("max", fmt::format("expected from min to min + {}", kWidestZipf - 1));
    }
    double sum = 0;
    cumulative_.reserve(static_cast<std::size_t>(most - least_ + 1));
    for (std::int64_t rank = 1; rank <= most - least_ + 1; ++rank) {
      sum += std::pow(static_cast<double>(rank), -theta);
      cumulative_.push_back(sum);
    }
  }

  Lengths draw(Rng& rng) const override {
    if (each_) {
      const auto [prompt, output] = correlation_->ranks(rng);
      return {quantile(prompt), quantile(output)};
    }
    boost::random::uniform_01<double> unit;
    const std::int64_t total = quantile(unit(rng));
    const auto output = std::llround(static_cast<double>(total) / (1 + ratio_));
    const std::int64_t kept = std::clamp<std::int64_t>(output, 1, total - 1);
    return {total - kept, kept};
  }

 private:
  std::int64_t quantile(double share) const {
    const auto at = std::ranges::upper_bound(cumulative_, share * cumulative_.back());
    return least_ + std::min(at - cumulative_.begin(), std::ssize(cumulative_) - 1);
  }

  std::int64_t least_;
  bool each_;
  double ratio_;
  std::optional<RankCorrelation> correlation_;
  std::vector<double> cumulative_;
};

/// One of the two lengths.
class BoundedPareto {
 public:
  BoundedPareto(Parameters& parameters, const std::string& side)
      : alpha_(parameters.number(side + "_alpha", 1, 1e-3, 100, "tail index of the " + side)) {
    const std::string most_name = side + "_max";
    const std::int64_t least =
        parameters.integer(side + "_min", 1, 1, kMostTokens, "shortest " + side + ", in tokens");
    const std::int64_t most =
        parameters.integer(most_name, 1, 1, kMostTokens, "longest " + side + ", in tokens");
    if (most < least) parameters.refuse(most_name, fmt::format("is below {}_min", side));
    least_ = static_cast<double>(least);
    beyond_ = std::pow(least_ / static_cast<double>(most), alpha_);
    most_ = most;
  }

  std::int64_t quantile(double share) const {
    const double tokens = least_ * std::pow(1 - share * (1 - beyond_), -1 / alpha_);
    return tokens < static_cast<double>(most_) ? std::llround(tokens) : most_;
  }

 private:
  double alpha_;
  double least_ = 1;
  double beyond_ = 1;  ///< the share of an unbounded law beyond the longest
  std::int64_t most_ = 1;
};

class ParetoLengths final : public LengthSource {
 public:
  explicit ParetoLengths(Parameters& parameters)
      : prompt_(parameters, "prompt"), output_(parameters, "output"), correlation_(parameters) {}

  Lengths draw(Rng& rng) const override {
    const auto [prompt, output] = correlation_.ranks(rng);
    return {prompt_.quantile(prompt), output_.quantile(output)};
  }

 private:
  BoundedPareto prompt_, output_;
  RankCorrelation correlation_;
};

}  // namespace

std::unique_ptr<LengthSource> make_zipf(Parameters& parameters) {
  return std::make_unique<ZipfLengths>(parameters);
}

std::unique_ptr<LengthSource> make_pareto(Parameters& parameters) {
  return std::make_unique<ParetoLengths>(parameters);
}

}  // namespace tokenyard
