#pragma once

#include <cstddef>
#include <functional>
#include <optional>

#include "experiments/statistics/interval.hpp"

namespace tokenyard {

/// A statistic of independent samples, without the given one of them (empty: of all). Empty where
/// it does not exist.
using LeaveOneOut = std::function<std::optional<double>(std::optional<std::size_t> without)>;

/// The statistic of all `samples` with its 95 % interval by the delete-one jackknife (Tukey, Ann.
/// Math. Stat. 29, 1958; Efron and Tibshirani, "An Introduction to the Bootstrap", chapter 11), for
/// smooth functions of means that have no interval of their own, such as where a mean curve crosses
/// a bound. No half-width with fewer than two samples, or where it lacks without one of them.
Interval jackknife_95(std::size_t samples, const LeaveOneOut& statistic);

}  // namespace tokenyard
