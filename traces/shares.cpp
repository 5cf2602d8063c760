#include "traces/shares.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/random/uniform_01.hpp>
#include <set>

#include "sim/kernel/input_error.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

Shares::Shares(std::string_view what, std::string_view text) {
  constexpr double kMostWeight = 1e12;
  double sum = 0;
  std::set<std::string_view> known;
  const auto parts = split(text, '/');
  for (const std::string_view part : parts) {
    const auto colon = part.rfind(':');
    const auto weight = parse_number(colon == std::string_view::npos ? "" : part.substr(colon + 1));
    const std::string_view name = part.substr(0, colon);
    const bool alone = parts.size() == 1 && colon == std::string_view::npos;
    if (name.empty() || (!alone && (!weight || *weight < 0 || *weight > kMostWeight))) {
      throw InputError(fmt::format("{}: expected a value, or VALUE:WEIGHT/VALUE:WEIGHT, found '{}'",
                                   what, printable(part)));
    }
    if (!known.insert(name).second) {
      throw InputError(fmt::format("{}: '{}' is given twice", what, printable(name)));
    }
    sum += alone ? 1 : *weight;
    names_.emplace_back(name);
    cumulative_.push_back(sum);
  }
  if (sum <= 0) throw InputError(fmt::format("{}: all weights are 0", what));
}

std::size_t Shares::draw(Rng& rng) const {
  boost::random::uniform_01<double> unit;
  const auto found = std::ranges::upper_bound(cumulative_, unit(rng) * cumulative_.back());
  return static_cast<std::size_t>(
      std::min(found - cumulative_.begin(), std::ssize(cumulative_) - 1));
}

IntegerShares::IntegerShares(std::string_view what, std::string_view text, std::int64_t least,
                             std::int64_t most)
    : shares_(what, text) {
  for (const std::string& name : shares_.names()) {
    const auto value = parse_integer(name);
    if (!value || *value < least || *value > most) {
      throw InputError(fmt::format("{}: expected an integer from {} to {}, found '{}'", what, least,
                                   most, printable(name)));
    }
    values_.push_back(*value);
  }
}

}  // namespace tokenyard
