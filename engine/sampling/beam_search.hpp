#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/sampling/logit_row.hpp"
#include "engine/sampling/sampling_params.hpp"
#include "engine/sampling/stop.hpp"

namespace tokenyard {

/// What a step made of one of the request's live sequences: it is now what `parent` was before the
/// step, with one token more.
struct BeamMove {
  std::int32_t sequence = 0;
  std::int32_t parent = 0;
  Token token = -1;  ///< -1 where nothing lives on; then the search is done
};

/// An output that was found.
struct Hypothesis {
  std::vector<Token> tokens;    ///< with the end token, where there is one
  std::vector<float> logprobs;  ///< of each
  double sum_logprob = 0.0;
  double score = 0.0;  ///< sum_logprob / length ^ length_penalty, as Hugging Face counts the length
  bool ended = false;  ///< by an end or stop token, as opposed to its length
};

/// Beam search of one request, step by step (Freitag and Al-Onaizan, arXiv 1702.01806, section 2;
/// the rules are those of Hugging Face's generate). In a step the candidates are all continuations
/// of all live beams by one token, ranked by the sum of their log-probabilities, equals by (parent,
/// token). From the best on, one that ends becomes a hypothesis where it is among the first `width`
/// (else it is passed over) and the others live on, until there are as many as beams lived. Of
/// hypotheses the `width` best are kept. Log-probabilities are the model's; a token that
/// `StopRule::masked` names is no candidate.
///
/// The request's sequences all stay until the search is done and then end together; while it is
/// not, a hypothesis that ends gives up no sequence, for the next best candidate takes its place.
/// Holds the outputs as a tree, 12 bytes a token. Not thread-safe; refers to the rule.
class BeamSearch {
 public:
  /// `params` asks for beam search and is valid.
  BeamSearch(const SamplingParams& params, const StopRule& rule);

  /// Takes one row of logits for each live sequence, in their order: for the first step one alone,
  /// that of the prompt's last token. A status other than good ends the request; nothing has
  /// changed then. O(rows x vocabulary).
  RowStatus step(std::span<const std::span<const float>> rows);

  /// Of the last step, by sequence. A beam has its parent's place where it is that one's best
  /// child, so that as few sequences as possible change places. In the first step each is its own
  /// parent.
  std::span<const BeamMove> moves() const { return moves_; }
  /// The search has ended: the outputs are the hypotheses.
  bool done() const { return done_; }

  /// The output of this live sequence is complete though the search goes on (a trace's length):
  /// it becomes a hypothesis, and the beams are one fewer. With the last the search is done.
  void end(std::int32_t sequence);

  /// Numbers of the live sequences, in order.
  std::vector<std::int32_t> live() const;
  /// The output of a live sequence so far, for instance to compute it again. O(its length).
  std::vector<Token> output(std::int32_t sequence) const;

  /// Best first, equals as they were found; at most `n` of the params.
  std::vector<Hypothesis> best() const;

 private:
  struct Beam {
    std::int32_t sequence = 0;
    std::int32_t node = -1;  // its last token's; -1 = none yet
    double sum_logprob = 0.0;
  };
  struct Node {
    std::int32_t parent = -1;
    Token token = 0;
    float logprob = 0.0F;
  };
  struct Candidate {
    std::size_t beam = 0;  // an index of beams_
    Token token = 0;
    float logprob = 0.0F;
    double sum_logprob = 0.0;
  };
  struct Finished {
    std::int32_t node = -1;
    double sum_logprob = 0.0;
    double score = 0.0;
    bool ended = false;
  };

  void add_candidates(std::size_t beam);
  std::vector<Candidate> choose();
  std::vector<std::size_t> places(std::span<const Candidate> survivors) const;
  void go_on(std::span<const Candidate> survivors);
  std::int32_t add_node(const Candidate& candidate, std::int32_t parent);
  void add_finished(std::int32_t node, double sum_logprob, bool ended);
  double score(double sum_logprob, std::int64_t length) const;
  bool is_satisfied() const;
  const Beam& beam_of(std::int32_t sequence) const;
  Hypothesis hypothesis(std::int32_t node) const;

  const StopRule* rule_;
  std::int32_t n_;
  std::size_t width_;
  double length_penalty_;
  EarlyStopping early_stopping_;
  std::int64_t generated_ = 0;
  bool done_ = false;
  std::vector<Beam> beams_;  // by sequence
  std::vector<Node> nodes_;
  std::vector<Finished> finished_;
  std::vector<BeamMove> moves_;
  LogitRow row_;
  std::vector<Candidate> candidates_;
};

}  // namespace tokenyard
