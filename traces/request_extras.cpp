#include "traces/request_extras.hpp"

#include <algorithm>
#include <array>
#include <boost/random/uniform_01.hpp>
#include <cmath>

namespace tokenyard {

namespace {

constexpr std::int64_t kMostGroups = 1'000'000;
constexpr std::int64_t kMostTenants = 100'000;

std::span<const GeneratorEntry<SharedPrefix>> prefixes() {
  static const std::array<GeneratorEntry<SharedPrefix>, 1> table = {{
      {"shared",
       "groups of prompts that begin with the same tokens, which come before their own",
       {"groups", "tokens"},
       [](Parameters& parameters) { return std::make_unique<SharedPrefix>(parameters); }},
  }};
  return table;
}

/// "8" stands for eight tenants of equal weight.
std::string spelt_out(const std::string& tenants) {
  const auto count = parse_integer(tenants);
  if (!count) return tenants;
  if (*count < 1 || *count > kMostTenants) {
    throw InputError(
        fmt::format("tenants: expected a number from 1 to {}, or NAME:WEIGHT/"
                    "NAME:WEIGHT, found '{}'",
                    kMostTenants, printable(tenants)));
  }
  std::string names;
  for (std::int64_t i = 0; i < *count; ++i) {
    names += fmt::format("{}tenant-{}:1", i > 0 ? "/" : "", i);
  }
  return names;
}

std::optional<IntegerShares> widths(std::string_view what, const std::string& text) {
  if (text.empty()) return std::nullopt;
  return IntegerShares(what, text, 1, kMostSequences);
}

/// `n` samples must be among those that are decoded, whatever is drawn.
void check_at_least(const std::optional<IntegerShares>& n, std::string_view what,
                    const std::optional<IntegerShares>& other, bool may_be_one) {
  if (!n || !other) return;
  const std::int64_t most_n = std::ranges::max(n->values());
  for (const std::int64_t value : other->values()) {
    if (value >= most_n || (may_be_one && value == 1)) continue;
    throw InputError(fmt::format("{}: {} is less than n ({})", what, value, most_n));
  }
}

}  // namespace

SharedPrefix::SharedPrefix(Parameters& parameters)
    : groups_(parameters.integer("groups", 1, 1, kMostGroups, "how many prefixes there are")),
      tokens_(parameters.integer("tokens", 1, 1, kMostTokens / 2, "tokens of each prefix")),
      share_(parameters.number("share", 1, 0, 1, "part of the requests that begin with one")) {
  const double theta = parameters.number(
      "theta", 0, 0, 20, "popularity of the k-th group is k^-theta; 0: all the same");
  double sum = 0;
  for (std::int64_t group = 1; group <= groups_; ++group) {
    sum += std::pow(static_cast<double>(group), -theta);
    cumulative_.push_back(sum);
  }
}

std::optional<std::int64_t> SharedPrefix::draw(std::uint64_t seed, std::uint64_t request) const {
  Rng rng = named_stream(seed, "prefix", request);
  boost::random::uniform_01<double> unit;
  if (unit(rng) >= share_) return std::nullopt;
  const auto found = std::ranges::upper_bound(cumulative_, unit(rng) * cumulative_.back());
  const auto group = static_cast<std::uint64_t>(
      std::min(found - cumulative_.begin(), std::ssize(cumulative_) - 1));
  // 53 bits, which any reader of JSON keeps.
  Rng name = named_stream(seed, fmt::format("prefix name {}", tokens_), group);
  return static_cast<std::int64_t>(name() >> 11U);
}

RequestExtras::RequestExtras(const WorkloadPlan& plan)
    : n_(widths("n", plan.n)),
      best_of_(widths("best_of", plan.best_of)),
      beam_width_(widths("beam_width", plan.beam_width)) {
  check_at_least(n_, "best_of", best_of_, false);
  check_at_least(n_, "beam_width", beam_width_, true);  // one beam is no beam search
  if (!plan.tenants.empty()) tenants_.emplace("tenants", spelt_out(plan.tenants));
  if (!plan.prefix.empty()) prefix_ = make_generator("prefix", plan.prefix, prefixes());
}

void RequestExtras::draw_width(std::uint64_t seed, std::uint64_t request,
                               TraceOptions& options) const {
  const auto drawn = [&](const std::optional<IntegerShares>& shares, std::string_view stream) {
    if (!shares) return 1;
    Rng rng = named_stream(seed, stream, request);
    return static_cast<int>(shares->draw(rng));
  };
  options.n = drawn(n_, "n");
  if (const int best_of = drawn(best_of_, "best_of"); best_of > 1) options.best_of = best_of;
  if (const int beams = drawn(beam_width_, "beam_width"); beams > 1) options.beam_width = beams;
}

std::optional<std::string_view> RequestExtras::draw_tenant(std::uint64_t seed,
                                                           std::uint64_t request) const {
  if (!tenants_) return std::nullopt;
  Rng rng = named_stream(seed, "tenants", request);
  return tenants_->names()[tenants_->draw(rng)];
}

std::vector<GeneratorHelp> list_prefixes() {
  return describe_generators(prefixes());
}

}  // namespace tokenyard
