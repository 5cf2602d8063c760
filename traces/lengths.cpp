#include "traces/lengths.hpp"

#include <algorithm>
#include <array>
#include <boost/random/geometric_distribution.hpp>
#include <boost/random/lognormal_distribution.hpp>
#include <boost/random/uniform_int_distribution.hpp>
#include <cmath>

#include "traces/heavy_tailed_lengths.hpp"
#include "traces/length_dataset.hpp"
#include "traces/rank_correlation.hpp"
#include "traces/trace.hpp"

namespace tokenyard {

namespace {

using Lognormal = boost::random::lognormal_distribution<double>;

/// A whole number of tokens in [1, most]. What lies beyond is clipped.
std::int64_t whole_tokens(double tokens, std::int64_t most) {
  if (!(tokens < static_cast<double>(most))) return most;
  return std::max<std::int64_t>(1, std::llround(tokens));
}

class FixedLengths final : public LengthSource {
 public:
  explicit FixedLengths(Parameters& parameters)
      : prompt_(parameters.integer("prompt", 1, 1, kMostTokens, "prompt tokens")),
        output_(parameters.integer("output", 1, 1, kMostTokens, "output tokens")) {}

  Lengths draw(Rng&) const override { return {prompt_, output_}; }

 private:
  std::int64_t prompt_, output_;
};

/// Lognormal lengths, rounded to whole tokens; `max` clips each of the two.
class LognormalLengths final : public LengthSource {
 public:
  explicit LognormalLengths(Parameters& parameters)
      : prompt_(parameters, "prompt"),
        output_(parameters, "output"),
        most_(parameters.integer("max", kMostTokens, 1, kMostTokens,
                                 "clips prompt and output each, in tokens")),
        correlation_(parameters) {}

  Lengths draw(Rng& rng) const override {
    const auto [prompt, output] = correlation_.normals(rng);
    return {whole_tokens(prompt_.of(prompt), most_), whole_tokens(output_.of(output), most_)};
  }

 private:
  struct Side {
    double mu, sigma;

    Side(Parameters& parameters, const std::string& side)
        : mu(parameters.number(side + "_mu", 0, -20, 20,
                               fmt::format("mean of the logarithm of {} tokens", side))),
          sigma(parameters.number(
              side + "_sigma", 0, 0, 10,
              fmt::format("standard deviation of the logarithm of {} tokens", side))) {}

    double of(double normal) const { return std::exp(normal * sigma + mu); }
  };

  Side prompt_, output_;
  std::int64_t most_;
  RankCorrelation correlation_;
};

/// A fixed prompt and an output that is geometric on 1, 2, …: memoryless, so theory has closed
/// forms for it.
class GeometricLengths final : public LengthSource {
 public:
  explicit GeometricLengths(Parameters& parameters)
      : prompt_(parameters.integer("prompt", 1, 1, kMostTokens, "prompt tokens")),
        mean_(parameters.number("output_mean", 1, 1, 1e6, "mean output tokens")) {}

  Lengths draw(Rng& rng) const override {
    if (mean_ == 1) return {prompt_, 1};
    // Boost's counts the failures before the first success: mean (1 - p) / p.
    boost::random::geometric_distribution<std::int64_t, double> failures(1 / mean_);
    return {prompt_, std::min(1 + failures(rng), kMostTokens)};
  }

 private:
  std::int64_t prompt_;
  double mean_;
};

/// Lognormal lengths with the filter of the FastServe paper's workloads: pairs with a prompt over
/// 1,024 tokens or a total over 2,048 are drawn again.
///
/// The parameters are a fit to published means. For given sigmas the two mu solve
/// E[prompt | kept] and E[output | kept] = the means, where prompt and output are the rounded
/// lognormals above (P(k) = F(k + 1/2) - F(k - 1/2), P(1) = F(3/2)) and both expectations are exact
/// sums over the kept pairs.
class FilteredLengths final : public LengthSource {
 public:
  FilteredLengths(Lognormal prompt, Lognormal output) : prompt_(prompt), output_(output) {}

  Lengths draw(Rng& rng) const override {
    constexpr std::int64_t kMostPrompt = 1024;
    constexpr std::int64_t kMostTotal = 2048;
    auto prompt = prompt_;
    auto output = output_;
    for (;;) {
      const Lengths drawn{whole_tokens(prompt(rng), kMostTokens),
                          whole_tokens(output(rng), kMostTokens)};
      if (drawn.prompt <= kMostPrompt && drawn.prompt + drawn.output <= kMostTotal) return drawn;
    }
  }

 private:
  Lognormal prompt_, output_;
};

/// ShareGPT as FastServe used it: means 161 and 338. The sigmas are those of the logarithms of a
/// public sample of ShareGPT lengths (10,000 conversations, Llama-2 tokens) under the same filter,
/// 1.31 and 0.98. 94.7 % of the draws are kept.
std::unique_ptr<LengthSource> make_sharegpt_like(Parameters&) {
  return std::make_unique<FilteredLengths>(Lognormal(4.56967, 1.3), Lognormal(5.45597, 1.0));
}

/// Alpaca as FastServe used it: means 19 and 58. The sigmas are a choice (instructions vary little,
/// answers much), not a fit. 99.997 % of the draws are kept.
std::unique_ptr<LengthSource> make_alpaca_like(Parameters&) {
  return std::make_unique<FilteredLengths>(Lognormal(2.81944, 0.5), Lognormal(3.56155, 1.0));
}

/// Rows of a data set, drawn independently and with replacement.
class DatasetLengths final : public LengthSource {
 public:
  explicit DatasetLengths(const std::string& path) : rows_(read_lengths(path)) {}

  Lengths draw(Rng& rng) const override {
    boost::random::uniform_int_distribution<std::size_t> row(0, rows_.size() - 1);
    return rows_[row(rng)];
  }

 private:
  std::vector<Lengths> rows_;
};

template <typename Source>
std::unique_ptr<LengthSource> make(Parameters& parameters) {
  return std::make_unique<Source>(parameters);
}

constexpr std::string_view kDataset = "dataset";

/// Stands in the table for the list and the messages: made elsewhere.
std::unique_ptr<LengthSource> made_elsewhere(Parameters&) {
  return nullptr;
}

std::span<const GeneratorEntry<LengthSource>> sources() {
  static const std::array<GeneratorEntry<LengthSource>, 9> table = {{
      {"fixed", "every request the same", {"prompt", "output"}, make<FixedLengths>},
      {"lognormal",
       "lognormal prompts and outputs",
       {"prompt_mu", "prompt_sigma", "output_mu", "output_sigma"},
       make<LognormalLengths>},
      {"geometric",
       "a fixed prompt, geometric outputs",
       {"prompt", "output_mean"},
       make<GeometricLengths>},
      {"zipf",
       "Zipf's law on a range: the shortest are the commonest",
       {"theta", "min", "max"},
       make_zipf},
      {"pareto",
       "bounded Pareto prompts and outputs",
       {"prompt_alpha", "prompt_min", "prompt_max", "output_alpha", "output_min", "output_max"},
       make_pareto},
      {"sharegpt-like", "chat: lognormal, means 161 and 338 tokens", {}, make_sharegpt_like},
      {"alpaca-like", "instructions: lognormal, means 19 and 58 tokens", {}, make_alpaca_like},
      {"dataset", "dataset:FILE draws rows of a trace or of a CSV of lengths", {}, made_elsewhere},
      {"servegen", "those of the clients of --arrivals servegen", {}, made_elsewhere},
  }};
  return table;
}

}  // namespace

std::unique_ptr<LengthSource> make_lengths(std::string_view spec) {
  if (spec == kDataset || spec.starts_with("dataset:")) {
    if (spec.size() <= kDataset.size() + 1) {
      throw InputError("lengths dataset: a file is required, as in dataset:FILE");
    }
    return std::make_unique<DatasetLengths>(std::string(spec.substr(kDataset.size() + 1)));
  }
  return make_generator("lengths", spec, sources());
}

std::vector<GeneratorHelp> list_lengths() {
  return describe_generators(sources());
}

}  // namespace tokenyard
