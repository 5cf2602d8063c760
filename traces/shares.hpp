#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/kernel/rng.hpp"

namespace tokenyard {

/// A choice among names by weight: "a:3/b:1", or "a" for one that is always taken. Immutable.
class Shares {
 public:
  /// `what` is for messages ("tenants"). Throws `InputError`.
  Shares(std::string_view what, std::string_view text);

  const std::vector<std::string>& names() const { return names_; }
  /// The position of one of them.
  std::size_t draw(Rng& rng) const;

 private:
  std::vector<std::string> names_;
  std::vector<double> cumulative_;
};

/// A choice among whole numbers, such as "4" or "1:0.9/4:0.1". Immutable.
class IntegerShares {
 public:
  /// Values are in [least, most]. Throws `InputError`.
  IntegerShares(std::string_view what, std::string_view text, std::int64_t least,
                std::int64_t most);

  const std::vector<std::int64_t>& values() const { return values_; }
  std::int64_t draw(Rng& rng) const { return values_[shares_.draw(rng)]; }

 private:
  Shares shares_;
  std::vector<std::int64_t> values_;
};

}  // namespace tokenyard
