#include "experiments/costs/linear_fit.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>

namespace tokenyard {

namespace {

constexpr int kCoefficients = 5;

struct Coefficient {
  const char* name;
  double LinearCoefficients::*place;
};
constexpr Coefficient kNames[kCoefficients] = {
    {"iteration_s", &LinearCoefficients::iteration_s},
    {"prefill_token_s", &LinearCoefficients::prefill_token_s},
    {"prefill_quadratic_s", &LinearCoefficients::prefill_quadratic_s},
    {"decode_sequence_s", &LinearCoefficients::decode_sequence_s},
    {"context_token_s", &LinearCoefficients::context_token_s}};

/// A row a measurement, over its seconds: what each coefficient is multiplied by.
Eigen::MatrixXd rows_of(std::span<const MeasuredIteration> measured) {
  Eigen::MatrixXd rows(static_cast<Eigen::Index>(measured.size()), kCoefficients);
  for (std::size_t i = 0; i < measured.size(); ++i) {
    const IterationLoad& load = measured[i].load;
    const double weight = 1 / measured[i].seconds;
    const double sizes[kCoefficients] = {1, static_cast<double>(load.prefill_tokens),
                                         static_cast<double>(load.prefill_context_product),
                                         static_cast<double>(load.decode_sequences),
                                         static_cast<double>(load.decode_context_tokens)};
    for (int c = 0; c < kCoefficients; ++c) {
      rows(static_cast<Eigen::Index>(i), c) = weight * sizes[c];
    }
  }
  return rows;
}

}  // namespace

Agreement agreement_of(std::span<const double> measured, std::span<const double> estimates) {
  Agreement found;
  found.points = measured.size();
  double inverse = 0, inverse_squared = 0, sum = 0, residuals = 0;
  for (std::size_t i = 0; i < measured.size(); ++i) {
    const double relative = std::abs(estimates[i] - measured[i]) / measured[i];
    residuals += relative * relative;
    sum += relative;
    found.worst_relative = std::max(found.worst_relative, relative);
    inverse += 1 / measured[i];
    inverse_squared += 1 / (measured[i] * measured[i]);
  }
  const auto count = static_cast<double>(measured.size());
  found.mean_relative = sum / count;
  // The constant k with the least sum of ((k - t) / t)² is that of the weighted mean.
  const double spread = count - inverse * inverse / inverse_squared;
  if (spread > 1e-12 * count) {
    found.r_squared = 1 - residuals / spread;
  } else {
    found.r_squared = residuals <= 1e-12 * count ? 1 : 0;
  }
  return found;
}

LinearFit fit_linear(std::span<const MeasuredIteration> measured) {
  const Eigen::MatrixXd rows = rows_of(measured);
  const Eigen::VectorXd ones = Eigen::VectorXd::Ones(rows.rows());
  // Columns of one length each, so that ranks are told from sizes.
  Eigen::VectorXd lengths = rows.colwise().norm();
  double least = std::numeric_limits<double>::max();
  Eigen::VectorXd best = Eigen::VectorXd::Zero(kCoefficients);
  for (unsigned subset = 1; subset < 1U << kCoefficients; ++subset) {
    std::vector<int> columns;
    for (int c = 0; c < kCoefficients; ++c) {
      if ((subset >> c & 1U) != 0 && lengths[c] > 0) columns.push_back(c);
    }
    if (columns.empty()) continue;
    Eigen::MatrixXd part(rows.rows(), static_cast<Eigen::Index>(columns.size()));
    for (std::size_t i = 0; i < columns.size(); ++i) {
      part.col(static_cast<Eigen::Index>(i)) = rows.col(columns[i]) / lengths[columns[i]];
    }
    const Eigen::VectorXd solved = part.colPivHouseholderQr().solve(ones);
    if (solved.minCoeff() < 0) continue;
    const double residual = (part * solved - ones).squaredNorm();
    // Of equally good ones the first, which has fewer of the later coefficients.
    if (residual >= least * (1 - 1e-9)) continue;
    least = residual;
    best.setZero();
    for (std::size_t i = 0; i < columns.size(); ++i) {
      best[columns[i]] = solved[static_cast<Eigen::Index>(i)] / lengths[columns[i]];
    }
  }
  LinearFit fit;
  for (int c = 0; c < kCoefficients; ++c) {
    fit.coefficients.*kNames[c].place = best[c];
    if (best[c] == 0) fit.dropped.emplace_back(kNames[c].name);
  }
  return fit;
}

}  // namespace tokenyard
