#include "engine/sampling/beam_search.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "sim/kernel/invariant.hpp"

namespace tokenyard {

namespace {

/// Of a beam that lives only because its sequence does: fewer continuations than beams were there.
constexpr double kDead = -std::numeric_limits<double>::infinity();

}  // namespace

BeamSearch::BeamSearch(const SamplingParams& params, const StopRule& rule)
    : rule_(&rule),
      n_(params.n),
      width_(static_cast<std::size_t>(params.beam_width)),
      length_penalty_(params.length_penalty),
      early_stopping_(params.early_stopping) {
  invariant(params.beam_search(), "beam search has beams", "a width of {}", params.beam_width);
  for (std::int32_t i = 0; i < params.beam_width; ++i) beams_.push_back({i, -1, 0.0});
}

RowStatus BeamSearch::step(std::span<const std::span<const float>> rows) {
  const bool first = generated_ == 0;
  invariant(!done_ && rows.size() == (first ? 1 : beams_.size()), "beams step together",
            "{} rows of logits, {} beams, {} tokens", rows.size(), beams_.size(), generated_);
  candidates_.clear();
  for (std::size_t beam = 0; beam < rows.size(); ++beam) {
    if (beams_[beam].sum_logprob == kDead) continue;
    const RowStatus status = row_.read(rows[beam]);
    if (status == RowStatus::not_a_number) return status;
    if (status == RowStatus::good) add_candidates(beam);
  }
  if (candidates_.empty()) return RowStatus::all_masked;
  ++generated_;
  const std::vector<Candidate> survivors = choose();
  go_on(survivors);
  done_ = survivors.empty() || is_satisfied();
  if (done_ || generated_ < rule_->most_tokens()) return RowStatus::good;
  done_ = true;
  for (const Beam& beam : beams_) {
    if (beam.sum_logprob != kDead) add_finished(beam.node, beam.sum_logprob, false);
  }
  return RowStatus::good;
}

/// Of the row read last: enough to fill all places even if all tokens that end come first.
void BeamSearch::add_candidates(std::size_t beam) {
  const auto masked = rule_->masked(generated_);
  const std::size_t others = std::max(masked.size(), rule_->ending_tokens().size());
  const double log_sum = row_.log_sum_exp();
  for (const RankedToken& ranked : row_.top(width_ + others)) {
    if (std::isinf(ranked.logit)) break;
    if (std::binary_search(masked.begin(), masked.end(), ranked.token)) continue;
    const auto logprob = static_cast<float>(static_cast<double>(ranked.logit) - log_sum);
    const double sum = beams_[beam].sum_logprob + static_cast<double>(logprob);
    candidates_.push_back({beam, ranked.token, logprob, sum});
  }
}

/// Goes through the candidates from the best on. Returns those that live on, best first.
std::vector<BeamSearch::Candidate> BeamSearch::choose() {
  std::sort(candidates_.begin(), candidates_.end(), [](const Candidate& a, const Candidate& b) {
    if (a.sum_logprob != b.sum_logprob) return a.sum_logprob > b.sum_logprob;
    return a.beam != b.beam ? a.beam < b.beam : a.token < b.token;
  });
  std::vector<Candidate> survivors;
  for (std::size_t rank = 0; rank < candidates_.size(); ++rank) {
    if (survivors.size() == beams_.size()) break;
    const Candidate& candidate = candidates_[rank];
    if (!rule_->ends(candidate.token)) {
      survivors.push_back(candidate);
    } else if (rank < beams_.size()) {
      add_finished(add_node(candidate, beams_[candidate.beam].node), candidate.sum_logprob, true);
    }
  }
  return survivors;
}

/// Which survivor each beam's place goes to: its own best child, else the best without a place. A
/// place more than there are survivors goes to none (their number).
std::vector<std::size_t> BeamSearch::places(std::span<const Candidate> survivors) const {
  const std::size_t none = survivors.size();
  std::vector<std::size_t> places(beams_.size(), none);
  std::vector<std::size_t> others;
  for (std::size_t i = 0; i < survivors.size(); ++i) {
    std::size_t& own = places[survivors[i].beam];
    if (own == none) {
      own = i;
    } else {
      others.push_back(i);
    }
  }
  auto next = others.begin();
  for (std::size_t& place : places) {
    if (place == none && next != others.end()) place = *next++;
  }
  return places;
}

void BeamSearch::go_on(std::span<const Candidate> survivors) {
  const std::vector<std::size_t> chosen = places(survivors);
  const std::vector<Beam> before = beams_;
  moves_.clear();
  for (std::size_t i = 0; i < before.size(); ++i) {
    const std::int32_t sequence = before[i].sequence;
    if (survivors.empty()) {
      moves_.push_back({sequence, sequence, -1});
      continue;
    }
    // A sequence that no continuation is left for repeats the best one, but is no beam any more.
    const bool dead = chosen[i] == survivors.size();
    const Candidate& candidate = survivors[dead ? 0 : chosen[i]];
    const bool first = generated_ == 1;  // then all stand at the prompt's end
    moves_.push_back(
        {sequence, first ? sequence : before[candidate.beam].sequence, candidate.token});
    beams_[i].sum_logprob = dead ? kDead : candidate.sum_logprob;
    beams_[i].node = add_node(candidate, before[candidate.beam].node);
  }
}

std::int32_t BeamSearch::add_node(const Candidate& candidate, std::int32_t parent) {
  nodes_.push_back({parent, candidate.token, candidate.logprob});
  return static_cast<std::int32_t>(nodes_.size() - 1);
}

double BeamSearch::score(double sum_logprob, std::int64_t length) const {
  return sum_logprob / std::pow(static_cast<double>(length), length_penalty_);
}

/// All hypotheses are as long as the beams when they are found.
void BeamSearch::add_finished(std::int32_t node, double sum_logprob, bool ended) {
  const Finished found{node, sum_logprob, score(sum_logprob, generated_), ended};
  if (finished_.size() < width_) {
    finished_.push_back(found);
    return;
  }
  const auto worst =
      std::min_element(finished_.begin(), finished_.end(),
                       [](const Finished& a, const Finished& b) { return a.score < b.score; });
  if (found.score <= worst->score) return;
  finished_.erase(worst);
  finished_.push_back(found);
}

/// Whether no beam is awaited any more (Hugging Face's early stopping).
bool BeamSearch::is_satisfied() const {
  if (finished_.size() < width_) return false;
  if (early_stopping_ == EarlyStopping::on) return true;
  double worst = std::numeric_limits<double>::infinity();
  double best = kDead;
  for (const Finished& finished : finished_) worst = std::min(worst, finished.score);
  for (const Beam& beam : beams_) best = std::max(best, beam.sum_logprob);
  // Sums only fall; divided by the length, a positive penalty lifts the longest output most.
  const bool longest = early_stopping_ == EarlyStopping::never && length_penalty_ > 0.0;
  return worst >= score(best, longest ? rule_->most_tokens() : generated_);
}

const BeamSearch::Beam& BeamSearch::beam_of(std::int32_t sequence) const {
  const auto beam = std::find_if(beams_.begin(), beams_.end(),
                                 [&](const Beam& b) { return b.sequence == sequence; });
  invariant(beam != beams_.end(), "a beam that is asked for lives", "sequence {}", sequence);
  return *beam;
}

void BeamSearch::end(std::int32_t sequence) {
  invariant(generated_ > 0, "an output has a token", "sequence {} ends without one", sequence);
  const Beam& beam = beam_of(sequence);
  if (beam.sum_logprob != kDead) add_finished(beam.node, beam.sum_logprob, false);
  beams_.erase(beams_.begin() + (&beam - beams_.data()));
  done_ = done_ || beams_.empty();
}

std::vector<std::int32_t> BeamSearch::live() const {
  std::vector<std::int32_t> sequences;
  for (const Beam& beam : beams_) sequences.push_back(beam.sequence);
  return sequences;
}

Hypothesis BeamSearch::hypothesis(std::int32_t node) const {
  Hypothesis found;
  for (; node >= 0; node = nodes_[static_cast<std::size_t>(node)].parent) {
    found.tokens.push_back(nodes_[static_cast<std::size_t>(node)].token);
    found.logprobs.push_back(nodes_[static_cast<std::size_t>(node)].logprob);
  }
  std::reverse(found.tokens.begin(), found.tokens.end());
  std::reverse(found.logprobs.begin(), found.logprobs.end());
  return found;
}

std::vector<Token> BeamSearch::output(std::int32_t sequence) const {
  return hypothesis(beam_of(sequence).node).tokens;
}

std::vector<Hypothesis> BeamSearch::best() const {
  std::vector<Finished> ranked = finished_;
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const Finished& a, const Finished& b) { return a.score > b.score; });
  ranked.resize(std::min(ranked.size(), static_cast<std::size_t>(n_)));
  std::vector<Hypothesis> best;
  for (const Finished& finished : ranked) {
    Hypothesis& next = best.emplace_back(hypothesis(finished.node));
    next.sum_logprob = finished.sum_logprob;
    next.score = finished.score;
    next.ended = finished.ended;
  }
  return best;
}

}  // namespace tokenyard
