#include "traces/sessions.hpp"

#include <algorithm>
#include <array>
#include <boost/random/uniform_01.hpp>
#include <cmath>

#include "traces/trace_request.hpp"

namespace tokenyard {

namespace {

constexpr std::int64_t kMostTurns = 10'000;

std::span<const GeneratorEntry<Sessions>> kinds() {
  static const std::array<GeneratorEntry<Sessions>, 1> table = {{
      {"chat",
       "each arrival begins a conversation; --lengths are of a turn's own message and answer",
       {"turns"},
       [](Parameters& parameters) { return std::make_unique<Sessions>(parameters); }},
  }};
  return table;
}

/// Of one block: 53 bits, which any reader of JSON keeps.
std::int64_t block_name(Rng& rng) {
  return static_cast<std::int64_t>(rng() >> 11U);
}

}  // namespace

Sessions::Sessions(Parameters& parameters)
    : turns_mean_(parameters.number("turns", 1, 1, kMostTurns / 10, "mean number of turns")),
      geometric_(parameters.choice("law", {"geometric", "fixed"}, "how turns are spread") == 0),
      think_(parameters),
      block_tokens_(parameters.integer(
          "block_tokens", 16, 0, 1'000'000,
          "tokens a named block, by which a prompt is known to repeat the turn before; 0: none")),
      context_(parameters.integer("context", 0, 0, kMostTokens,
                                  "a session ends before a turn of more tokens; 0: no bound")) {
  if (!geometric_ && turns_mean_ != std::trunc(turns_mean_)) {
    parameters.refuse("turns", "a fixed number is a whole one");
  }
}

std::int64_t Sessions::draw_turns(std::uint64_t seed, std::uint64_t session) const {
  if (!geometric_ || turns_mean_ == 1) return static_cast<std::int64_t>(turns_mean_);
  Rng rng = named_stream(seed, "turns", session);
  const double unit = boost::random::uniform_01<double>()(rng);
  // Inversion: P(more than k turns) is (1 - 1 / mean)^k.
  const double turns = std::floor(std::log1p(-unit) / std::log1p(-1 / turns_mean_)) + 1;
  return static_cast<std::int64_t>(std::min(turns, static_cast<double>(kMostTurns)));
}

double Sessions::draw_think_s(std::uint64_t seed, std::uint64_t request) const {
  Rng rng = named_stream(seed, "think times", request);
  return think_.draw_s(rng);
}

Conversation::Conversation(const Sessions& sessions, std::uint64_t seed, std::uint64_t session,
                           std::optional<std::int64_t> prefix, std::int64_t prefix_tokens)
    : sessions_(sessions), names_from_(named_stream(seed, "session content", session)) {
  if (!prefix) return;
  Rng names = named_stream(static_cast<std::uint64_t>(*prefix), "prefix content");
  history_ = prefix_tokens;
  if (sessions_.block_tokens() > 0) name(names, prefix_tokens);
}

/// Names the whole blocks of the first `tokens` tokens that have no name yet.
void Conversation::name(Rng& rng, std::int64_t tokens) {
  const auto blocks = static_cast<std::size_t>(tokens / sessions_.block_tokens());
  while (names_.size() < blocks) names_.push_back(block_name(rng));
}

bool Conversation::has_room_for(Lengths turn) const {
  const std::int64_t most = sessions_.context() > 0 ? sessions_.context() : kMostTokens;
  return !begun_ || history_ + turn.prompt + turn.output <= most;
}

std::int64_t Conversation::say(Lengths turn) {
  begun_ = true;
  prompt_ = std::min(history_ + turn.prompt, kMostTokens);
  history_ = prompt_ + turn.output;
  return prompt_;
}

std::span<const std::int64_t> Conversation::block_names() {
  if (sessions_.block_tokens() == 0) return {};
  name(names_from_, prompt_);
  return std::span(names_).first(static_cast<std::size_t>(prompt_ / sessions_.block_tokens()));
}

std::unique_ptr<Sessions> make_sessions(std::string_view spec) {
  return make_generator("sessions", spec, kinds());
}

std::vector<GeneratorHelp> list_sessions() {
  return describe_generators(kinds());
}

}  // namespace tokenyard
