#include "experiments/bounds/request_work.hpp"

#include <algorithm>

#include "sim/kernel/invariant.hpp"

namespace tokenyard {

namespace {

constexpr double kNanoseconds = 1e9;
/// An iteration's time is the nearest whole nanosecond.
constexpr double kRounding = 0.5;
/// More than all rounding of floating-point sums, here and in cost models, can come to.
constexpr long double kSafe = 1 - 1e-9L;
/// The same where differences of sums of products are taken.
constexpr long double kSafeLag = 1 - 1e-6L;

double real(std::int64_t count) {
  return static_cast<double>(count);
}

double prompt_ns(const CostFloor& floor, double tokens, double product) {
  return kNanoseconds * (floor.prefill_token_s * tokens + floor.prefill_quadratic_s * product);
}

double excess_ns(const CostFloor& floor, double tokens) {
  return kNanoseconds * std::max(0.0, floor.excess_token_s * tokens - floor.excess_from_s);
}

Duration whole(long double nanoseconds) {
  return Duration(static_cast<Duration::rep>(std::max(0.0L, nanoseconds)));
}

}  // namespace

WorkTables::WorkTables(std::span<const CostFloor> planes, std::span<const double> weights,
                       const ServerSettings& settings, FixedCostShares shares, std::int64_t longest)
    : planes_(planes.begin(), planes.end()),
      weights_(weights.begin(), weights.end()),
      settings_(settings),
      shares_(shares) {
  invariant(planes.size() == weights.size(), "a bound has its planes", "{} weights",
            weights.size());
  fixed_ns_ = -kRounding;
  for (std::size_t i = 0; i < planes_.size(); ++i) {
    fixed_ns_ += weights_[i] * kNanoseconds * planes_[i].iteration_s;
  }
  const auto size = static_cast<std::size_t>(longest) + 1;
  machine_.reserve(size);
  alone_.reserve(size);
  lagged_.reserve(size);
  machine_.push_back(0);
  alone_.push_back(0);
  lagged_.push_back(0);
  for (std::int64_t context = 1; context <= longest; ++context) {
    // A token may also come from computing everything again, where that costs less.
    const double beside = std::min(decode_ns(context), prefill_ns(context));
    const double alone = alone_ns(beside);
    lagged_.push_back(lagged_.back() + alone * machine_.back());
    machine_.push_back(machine_.back() + machine_ns(beside, context));
    alone_.push_back(alone_.back() + alone);
  }
}

/// What a sequence that holds the KV of `context` tokens answers for of an iteration's fixed cost.
double WorkTables::share(std::int64_t context) const {
  const KvSettings& kv = settings_.kv;
  const double place = shares_.places / real(settings_.limits.max_num_seqs);
  if (shares_.places == 1) return place;
  const std::int64_t blocks = (context + kv.block_size - 1) / kv.block_size;
  return place + (1 - shares_.places) * real(blocks) / real(kv.device_blocks);
}

/// What computing a prompt costs beside the fixed cost, in as many chunks as may be.
double WorkTables::prefill_ns(std::int64_t tokens) const {
  double sum = 0;
  for (std::size_t i = 0; i < planes_.size(); ++i) {
    double cost = 0;
    if (settings_.kv.prefix_caching) {
      cost = prompt_ns(planes_[i], 1, real(tokens));  // all but the last may be found
    } else if (settings_.limits.chunk_tokens > 0) {
      cost = prompt_ns(planes_[i], real(tokens), real(tokens) * real(tokens + 1) / 2);
    } else {
      cost = prompt_ns(planes_[i], real(tokens), real(tokens) * real(tokens)) +
             excess_ns(planes_[i], real(tokens));
    }
    sum += weights_[i] * cost;
  }
  return sum;
}

double WorkTables::decode_ns(std::int64_t context) const {
  double sum = 0;
  for (std::size_t i = 0; i < planes_.size(); ++i) {
    sum += weights_[i] * kNanoseconds *
           (planes_[i].decode_sequence_s + planes_[i].context_token_s * real(context));
  }
  return sum;
}

/// Of an iteration that gives a token, with the fixed cost shared. Where rounding may make the
/// fixed cost less than nothing, each pays all of it.
double WorkTables::machine_ns(double beside, std::int64_t context) const {
  const double fixed = fixed_ns_ > 0 ? fixed_ns_ * share(context) : fixed_ns_;
  return std::max(0.0, fixed + beside);
}

double WorkTables::alone_ns(double beside) const {
  return std::max(0.0, fixed_ns_ + beside);
}

RequestWork WorkTables::of(const BoundRequest& request) const {
  const auto prompt = static_cast<std::size_t>(request.prompt_tokens);
  const auto last = prompt + static_cast<std::size_t>(request.output_tokens) - 1;
  const double beside = prefill_ns(request.prompt_tokens);
  const long double first = machine_ns(beside, request.prompt_tokens);
  const long double decodes = alone_[last] - alone_[prompt];
  const long double machine = first + machine_[last] - machine_[prompt];
  RequestWork work;
  work.machine = whole(kSafe * machine);
  work.alone = whole(kSafe * (alone_ns(beside) + decodes));
  if (machine > 0) {
    // The sum over decodes of their time alone x the machine time before them.
    const long double before =
        (first - machine_[prompt]) * decodes + lagged_[last] - lagged_[prompt];
    work.lag = whole(kSafeLag * before / machine - 1);
  }
  return work;
}

}  // namespace tokenyard
