#include "traces/think_time.hpp"

namespace tokenyard {

ThinkTime::ThinkTime(Parameters& parameters)
    : mean_s_(parameters.number("think_s", 0, 0, 1e6, "mean think time in seconds")) {
  constexpr double kLeastCv = 0.01, kMostCv = 10;
  const double cv = parameters.number(
      "think_cv", 1, 0, kMostCv, "its coefficient of variation: 1 exponential, 0 always the mean");
  if (cv == 0) return;
  if (cv < kLeastCv) parameters.refuse("think_cv", "expected 0, or 0.01 … 10");
  law_.emplace(UnitGap::Law::gamma, 1 / (cv * cv));
}

double ThinkTime::draw_s(Rng& rng) const {
  return law_ ? mean_s_ * law_->draw(rng) : mean_s_;
}

}  // namespace tokenyard
