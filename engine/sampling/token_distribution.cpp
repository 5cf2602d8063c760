#include "engine/sampling/token_distribution.hpp"

#include <algorithm>
#include <array>
#include <functional>

#include "engine/sampling/float_lanes.hpp"

namespace tokenyard {

namespace {

constexpr std::size_t kBlock = LogitRow::kBlock;

// Tokens fall into buckets by how far their scaled logit is below the greatest one: 32 buckets to
// the factor e of probability, down to where weights are 0.
constexpr float kBucketsPerUnit = 32.0F;
constexpr std::size_t kBuckets = 87 * 32 + 1;

float sum_of(const float* weights) {
  lanes::Floats sums{};
  for (std::size_t i = 0; i < kBlock; i += lanes::kLanes) sums += lanes::load(weights + i);
  return lanes::sum(sums);
}

}  // namespace

void TokenDistribution::set(LogitRow& row, const Filters& filters) {
  Cut cut;
  if (filters.top_k > 0) cut = row.cut_after(static_cast<std::size_t>(filters.top_k));
  weigh(row, filters, cut);
  if (filters.top_p < 1.0) keep_top_p(row, filters.top_p);
}

void TokenDistribution::weigh(const LogitRow& row, const Filters& filters, const Cut& cut) {
  most_ = row.most();
  per_temperature_ = static_cast<float>(1.0 / filters.temperature);
  weights_.resize(row.blocks() * kBlock);
  sums_.resize(row.blocks());
  for (std::size_t block = 0; block < row.blocks(); ++block) {
    if (row.block_most(block) >= cut.last.logit) {
      weigh_block(row, block, static_cast<float>(filters.min_p));
    }
    cut_block(row, block, cut);
  }
  add_up();
}

void TokenDistribution::weigh_block(const LogitRow& row, std::size_t block, float min_p) {
  const std::size_t first = row.first(block);
  const std::size_t size = row.last(block) - first;
  const float* logits = row.logits().data() + first;
  std::array<float, kBlock> copy;
  if (size < kBlock) {
    copy.fill(-std::numeric_limits<float>::infinity());
    std::copy_n(logits, size, copy.begin());
    logits = copy.data();
  }
  for (std::size_t i = 0; i < kBlock; i += lanes::kLanes) {
    const lanes::Floats scaled = (lanes::load(logits + i) - most_) * per_temperature_;
    const lanes::Floats weights = lanes::exp_of_negative(scaled);
    lanes::store(&weights_[first + i], weights >= lanes::all(min_p) ? weights : lanes::Floats{});
  }
}

/// Sets the weights of what `cut` does not keep to 0, and the block's sum.
void TokenDistribution::cut_block(const LogitRow& row, std::size_t block, const Cut& cut) {
  const std::size_t first = row.first(block);
  const std::size_t last = row.last(block);
  float* weights = &weights_[first];
  if (row.block_most(block) < cut.last.logit) {
    std::fill_n(weights, kBlock, 0.0F);
    sums_[block] = 0.0;
    return;
  }
  const auto last_kept = static_cast<std::size_t>(cut.last.token);
  const bool equals_go_together = last <= last_kept + 1 || first > last_kept;
  if (cut.cuts() && equals_go_together && last - first == kBlock) {
    const lanes::Floats least = lanes::all(cut.last.logit);
    for (std::size_t i = 0; i < kBlock; i += lanes::kLanes) {
      const lanes::Floats logits = lanes::load(row.logits().data() + first + i);
      const lanes::Ints keeps = first > last_kept ? logits > least : logits >= least;
      lanes::store(weights + i, keeps ? lanes::load(weights + i) : lanes::Floats{});
    }
  } else if (cut.cuts()) {
    for (std::size_t token = first; token < last; ++token) {
      if (!cut.keeps(row.logits()[token], token)) weights_[token] = 0.0F;
    }
  }
  sums_[block] = static_cast<double>(sum_of(weights));
}

void TokenDistribution::add_up() {
  total_ = 0.0;
  for (const double sum : sums_) total_ += sum;
}

void TokenDistribution::keep_top_p(const LogitRow& row, double share) {
  const Cut cut = cut_of_share(row, share);
  for (std::size_t block = 0; block < row.blocks(); ++block) cut_block(row, block, cut);
  add_up();
}

std::size_t TokenDistribution::bucket_of(const Candidate& candidate) const {
  const float below = (most_ - candidate.ranked.logit) * per_temperature_;
  return std::min(static_cast<std::size_t>(below * kBucketsPerUnit), kBuckets - 1);
}

/// The tokens of at least this weight, in order of ids.
std::span<TokenDistribution::Candidate> TokenDistribution::select(const LogitRow& row,
                                                                  float least) {
  if (candidates_.size() <= weights_.size()) candidates_.resize(weights_.size() + 1);
  std::size_t found = 0;
  for (std::size_t block = 0; block < row.blocks(); ++block) {
    if (sums_[block] < static_cast<double>(least) || sums_[block] == 0.0) continue;
    for (std::size_t token = row.first(block); token < row.last(block); ++token) {
      // Written in any case and kept or not, without a branch that nobody could foretell.
      const float weight = weights_[token];
      candidates_[found] = {{row.logits()[token], static_cast<Token>(token)}, weight};
      found += weight >= least && weight > 0.0F ? 1 : 0;
    }
  }
  return std::span(candidates_).first(found);
}

/// The shortest beginning of the row's order that has `share` of the total (the nucleus of Holtzman
/// et al., arXiv 1904.09751, section 3.1). Tokens so light that all of them together could not
/// make up the rest are never looked at (half of that, since sums are rounded). The others are
/// weighed by bucket, and only the bucket in which the share is reached is put in order.
Cut TokenDistribution::cut_of_share(const LogitRow& row, double share) {
  const double target = share * total_;
  const double tokens = static_cast<double>(row.logits().size());
  const auto heavy = select(row, static_cast<float>(0.5 * (1.0 - share) * total_ / tokens));
  buckets_.assign(kBuckets, 0.0);
  for (const Candidate& candidate : heavy) {
    buckets_[bucket_of(candidate)] += static_cast<double>(candidate.weight);
  }
  double reached = 0.0;
  std::size_t bucket = 0;
  while (bucket + 1 < kBuckets && reached + buckets_[bucket] < target) {
    reached += buckets_[bucket++];
  }
  const auto others = std::ranges::remove_if(
      heavy, [&](const Candidate& candidate) { return bucket_of(candidate) != bucket; });
  const auto last_ones = heavy.first(heavy.size() - others.size());
  if (!std::ranges::is_sorted(last_ones, std::less<>(), &Candidate::ranked)) {
    std::ranges::sort(last_ones, std::less<>(), &Candidate::ranked);
  }
  for (const Candidate& candidate : last_ones) {
    reached += static_cast<double>(candidate.weight);
    if (reached >= target) return {candidate.ranked};
  }
  return last_ones.empty() ? Cut() : Cut{last_ones.back().ranked};
}

Token TokenDistribution::draw(double u) const {
  const double target = u * total_;
  double reached = 0.0;
  // Where rounding leaves the target above a sum, the last that may be drawn is drawn.
  std::size_t chosen_block = 0;
  for (std::size_t block = 0; block < sums_.size(); ++block) {
    if (sums_[block] == 0.0) continue;
    chosen_block = block;
    if (reached + sums_[block] > target) break;
    reached += sums_[block];
  }
  std::size_t chosen = 0;
  for (std::size_t i = 0; i < kBlock; ++i) {
    const std::size_t token = chosen_block * kBlock + i;
    if (weights_[token] == 0.0F) continue;
    chosen = token;
    reached += static_cast<double>(weights_[token]);
    if (reached > target) break;
  }
  return static_cast<Token>(chosen);
}

}  // namespace tokenyard
