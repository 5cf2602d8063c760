#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sim/ports/length_predictor.hpp"
#include "sim/ports/output_oracle.hpp"
#include "sim/ports/parameters.hpp"

namespace tokenyard {

/// Makes the predictor that `text` names, "NAME" or "NAME:key=value,…":
/// - `oracle`: the truth;
/// - `noisy:sigma=S`: the truth x exp(S Z), at least 1, with Z standard normal from the stream
///   "predictor" keyed by the request. So a request's Z is the same under every policy and every S
///   (common random numbers), and the median error is none. A log-normal factor is how published
///   predictors err: by a ratio, to both sides alike;
/// - `mean`: `mean_output_tokens`, the trace's mean, for every request.
/// The first two derive from the request's own truth and say so (`clairvoyant`). `oracle` must
/// outlive the predictor. Throws an `InputError` for an unknown name or parameter.
std::unique_ptr<LengthPredictor> make_predictor(std::string_view text, const OutputOracle& oracle,
                                                double mean_output_tokens, std::uint64_t seed);

/// A predictor as `list predictors` prints it.
struct PredictorHelp {
  std::string name, summary;
  std::vector<Parameters::Declared> parameters;
};

/// All that `make_predictor` knows, in the order of the list above.
std::vector<PredictorHelp> describe_predictors();

}  // namespace tokenyard
