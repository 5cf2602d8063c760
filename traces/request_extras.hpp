#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "traces/generator_spec.hpp"
#include "traces/shares.hpp"
#include "traces/trace.hpp"
#include "traces/workload_plan.hpp"

namespace tokenyard {

/// Prompts that begin alike: a share of the requests, each in one of several groups, whose prompt
/// is the group's prefix and then their own tokens.
class SharedPrefix {
 public:
  explicit SharedPrefix(Parameters& parameters);

  std::int64_t tokens() const { return tokens_; }
  /// The name of the prefix that the request begins with; nothing: it shares none. Names of
  /// different seeds and lengths are different.
  std::optional<std::int64_t> draw(std::uint64_t seed, std::uint64_t request) const;

 private:
  std::int64_t groups_, tokens_;
  double share_;
  std::vector<double> cumulative_;  ///< of the groups' weights
};

/// What drawn requests have beside a time and two lengths. Each part draws from its own stream,
/// keyed by the request. Immutable.
class RequestExtras {
 public:
  /// Throws `InputError`.
  explicit RequestExtras(const WorkloadPlan& plan);

  /// Whether there is anything to draw.
  bool any() const { return n_ || best_of_ || beam_width_ || tenants_ || prefix_; }
  const SharedPrefix* prefix() const { return prefix_.get(); }

  /// How many sequences the request asks for.
  void draw_width(std::uint64_t seed, std::uint64_t request, TraceOptions& options) const;
  /// The request's tenant; nothing where they are not given.
  std::optional<std::string_view> draw_tenant(std::uint64_t seed, std::uint64_t request) const;

 private:
  std::optional<IntegerShares> n_, best_of_, beam_width_;
  std::optional<Shares> tenants_;
  std::unique_ptr<SharedPrefix> prefix_;
};

/// What `--prefix` takes.
std::vector<GeneratorHelp> list_prefixes();

}  // namespace tokenyard
