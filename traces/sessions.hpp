#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "sim/kernel/rng.hpp"
#include "traces/generator_spec.hpp"
#include "traces/lengths.hpp"
#include "traces/think_time.hpp"

namespace tokenyard {

/// Conversations: each turn is sent when the answer to the one before it has come and its user has
/// thought, and its prompt is all that was said before, and a message. Immutable.
class Sessions {
 public:
  explicit Sessions(Parameters& parameters);

  /// How many turns the session has, at least 1; from the stream "turns", keyed by it.
  std::int64_t draw_turns(std::uint64_t seed, std::uint64_t session) const;
  /// Before the request, a later turn; from the stream "think times", keyed by the request.
  double draw_think_s(std::uint64_t seed, std::uint64_t request) const;

  /// Tokens of the blocks by which prompts tell what they share; 0: they do not.
  std::int64_t block_tokens() const { return block_tokens_; }
  /// Prompt and output of no turn but the first are longer together; 0: no bound.
  std::int64_t context() const { return context_; }

 private:
  double turns_mean_;
  bool geometric_;
  ThinkTime think_;
  std::int64_t block_tokens_, context_;
};

/// What one conversation has said so far.
class Conversation {
 public:
  /// Its content is named by seed and number. A prefix of `prefix_tokens` tokens, a multiple of the
  /// blocks', comes first where it has a name.
  Conversation(const Sessions& sessions, std::uint64_t seed, std::uint64_t session,
               std::optional<std::int64_t> prefix, std::int64_t prefix_tokens);

  /// Whether a turn with this message and answer may follow.
  bool has_room_for(Lengths turn) const;
  /// The turn: its prompt's tokens.
  std::int64_t say(Lengths turn);
  /// The names of the whole blocks of the prompt that was said last.
  std::span<const std::int64_t> block_names();

 private:
  void name(Rng& rng, std::int64_t tokens);

  const Sessions& sessions_;
  Rng names_from_;
  std::vector<std::int64_t> names_;
  std::int64_t history_ = 0;  ///< tokens of all turns
  std::int64_t prompt_ = 0;   ///< tokens of the last prompt
  bool begun_ = false;
};

/// The sessions that `--sessions` names ("chat:turns=5,…"). Throws `InputError`.
std::unique_ptr<Sessions> make_sessions(std::string_view spec);

/// What `--sessions` takes.
std::vector<GeneratorHelp> list_sessions();

}  // namespace tokenyard
