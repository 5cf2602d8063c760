#include "engine/sampling/logit_row.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

#include "engine/sampling/float_lanes.hpp"
#include "sim/kernel/invariant.hpp"

namespace tokenyard {

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
using lanes::Floats;
using lanes::kLanes;

constexpr std::size_t kStep = 4 * kLanes;  // four registers keep the adders busy

using Block = std::array<float, LogitRow::kBlock>;

/// The block's logits: in place, or copied and filled up with -infinity at the row's end.
const float* whole_block(std::span<const float> logits, std::size_t first, Block& copy) {
  if (logits.size() - first >= LogitRow::kBlock) return logits.data() + first;
  copy.fill(-kInfinity);
  std::copy(logits.begin() + static_cast<std::ptrdiff_t>(first), logits.end(), copy.begin());
  return copy.data();
}

/// The greatest logit of a block; marks in `bad` whether one is NaN.
float survey(const float* block, lanes::Ints& bad) {
  std::array<Floats, 4> most;
  for (std::size_t i = 0; i < 4; ++i) {
    most[i] = lanes::load(block + i * kLanes);
    bad |= most[i] != most[i];
  }
  for (std::size_t at = kStep; at < LogitRow::kBlock; at += kStep) {
    for (std::size_t i = 0; i < 4; ++i) {
      const Floats logits = lanes::load(block + at + i * kLanes);
      bad |= logits != logits;
      most[i] = lanes::greater(logits, most[i]);
    }
  }
  const Floats first = lanes::greater(most[0], most[1]);
  return lanes::greatest(lanes::greater(first, lanes::greater(most[2], most[3])));
}

}  // namespace

RowStatus LogitRow::read(std::span<const float> logits) {
  invariant(!logits.empty(), "a row has logits", "the row is empty");
  logits_ = logits;
  block_most_.resize((logits.size() + kBlock - 1) / kBlock);
  lanes::Ints bad{};
  Block copy;
  most_ = -kInfinity;
  for (std::size_t block = 0; block < block_most_.size(); ++block) {
    block_most_[block] = survey(whole_block(logits, first(block), copy), bad);
    most_ = std::max(most_, block_most_[block]);
  }
  if (lanes::any(bad) || most_ == kInfinity) return RowStatus::not_a_number;
  return most_ == -kInfinity ? RowStatus::all_masked : RowStatus::good;
}

Token LogitRow::argmax() const {
  const auto block = std::find(block_most_.begin(), block_most_.end(), most_);
  const auto from = logits_.begin() + (block - block_most_.begin()) * std::ptrdiff_t{kBlock};
  return static_cast<Token>(std::find(from, logits_.end(), most_) - logits_.begin());
}

/// Leaves the `count` first tokens and perhaps others in `selected_`, in order of ids. As many
/// groups as are asked for have a token of at least the count-th greatest maximum of a group, so
/// all that is sought is at least that great.
void LogitRow::select(std::size_t count) {
  float least = -kInfinity;
  most_of_groups_ = block_most_;
  if (count > block_most_.size()) survey_small_groups();
  if (count <= most_of_groups_.size()) {
    const auto nth = most_of_groups_.begin() + static_cast<std::ptrdiff_t>(count - 1);
    std::nth_element(most_of_groups_.begin(), nth, most_of_groups_.end(), std::greater<>());
    least = *nth;
  }
  selected_.clear();
  for (std::size_t block = 0; block < blocks(); ++block) {
    if (block_most_[block] < least) continue;
    for (std::size_t token = first(block); token < last(block); ++token) {
      if (logits_[token] >= least) selected_.push_back({logits_[token], static_cast<Token>(token)});
    }
  }
}

/// The maxima of groups of eight; what is left over at the row's end is in none.
void LogitRow::survey_small_groups() {
  most_of_groups_.clear();
  for (std::size_t at = 0; at + 2 * kLanes <= logits_.size(); at += 2 * kLanes) {
    const Floats low = lanes::load(logits_.data() + at);
    const Floats high = lanes::load(logits_.data() + at + kLanes);
    most_of_groups_.push_back(lanes::greatest(lanes::greater(low, high)));
  }
}

/// Unordered but for the last of them.
std::span<RankedToken> LogitRow::first_tokens(std::size_t count) {
  select(count);
  // They already are in order where all are equal.
  if (!std::is_sorted(selected_.begin(), selected_.end())) {
    std::nth_element(selected_.begin(), selected_.begin() + static_cast<std::ptrdiff_t>(count - 1),
                     selected_.end());
  }
  return std::span(selected_).first(count);
}

std::span<const RankedToken> LogitRow::top(std::size_t count) {
  count = std::min(count, logits_.size());
  if (count == 0) return {};
  const std::span<RankedToken> top = first_tokens(count);
  std::sort(top.begin(), top.end());
  return top;
}

Cut LogitRow::cut_after(std::size_t count) {
  if (count >= logits_.size()) return {};
  return {first_tokens(count).back()};
}

double LogitRow::log_sum_exp() const {
  double total = 0.0;
  Block copy;
  for (std::size_t block = 0; block < blocks(); ++block) {
    const float* logits = whole_block(logits_, first(block), copy);
    Floats sums{};
    for (std::size_t i = 0; i < kBlock; i += kLanes) {
      sums += lanes::exp_of_negative(lanes::load(logits + i) - most_);
    }
    total += static_cast<double>(lanes::sum(sums));
  }
  return static_cast<double>(most_) + std::log(total);
}

}  // namespace tokenyard
