// A sequence's logits have the same bits however it is computed: alone token by token, as one
// prompt, in chunks, among others, at any place of a step, with any blocks and number of threads.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "engine/kernels/cpu_features.hpp"
#include "engine/transformer.hpp"
#include "engine/weights/model_weights.hpp"
#include "sim/kernel/rng.hpp"
#include "tests/engine/decoding.hpp"
#include "tests/engine/gemm_cases.hpp"

namespace tokenyard {
namespace {

using ::testing::HasSubstr;

/// What should make no difference.
struct Setting {
  int threads = 1;
  std::int32_t block_tokens = 16;
  std::uint64_t seed = 1;  ///< of chunks, order, company and blocks
};

const std::vector<Setting> kSettings = {{1, 8, 1}, {2, 16, 2}, {3, 32, 3}, {2, 1, 4}, {1, 24, 5}};

/// What is to be checked: made anew for each setting.
struct Subject {
  std::shared_ptr<void> owner;
  KvShape kv_shape;
  Forward forward;
};
using MakeSubject = std::function<Subject(const Setting&)>;

/// By sequence and position. Among the lengths are one of a single token and one that alone is more
/// than a group of rows.
using Logits = std::vector<std::vector<std::vector<float>>>;

std::vector<std::vector<Token>> random_prompts(std::int32_t vocabulary) {
  Rng rng = named_stream(1, "prompts");
  std::vector<std::vector<Token>> prompts;
  for (const std::int64_t length : {37, 1, 150, 16, 17, 64, 300, 90}) {
    prompts.push_back(random_tokens(rng, length, vocabulary));
  }
  return prompts;
}

std::int64_t longest(const std::vector<std::vector<Token>>& prompts) {
  std::size_t most = 0;
  for (const auto& prompt : prompts) most = std::max(most, prompt.size());
  return static_cast<std::int64_t>(most);
}

/// Each sequence alone, token by token.
Logits solo_logits(const Subject& subject, const std::vector<std::vector<Token>>& prompts) {
  Logits all;
  for (const auto& prompt : prompts) {
    NanCache cache(subject.kv_shape, longest(prompts) / subject.kv_shape.block_tokens + 1, 1);
    GrowingSequence sequence(subject.forward, cache, static_cast<std::int64_t>(prompt.size()));
    all.emplace_back();
    for (const Token token : prompt) all.back().push_back(sequence.append(token));
  }
  return all;
}

/// Runs all prompts in random chunks, in random order and company. "" if all logits on the way are
/// those of `expected`; else the first that are not.
std::string mixed_variance(const Subject& subject, const Setting& setting,
                           const std::vector<std::vector<Token>>& prompts, const Logits& expected) {
  const std::int64_t most = longest(prompts);
  const std::int64_t tables = static_cast<std::int64_t>(prompts.size()) * (most + 32);
  NanCache cache(subject.kv_shape, tables / setting.block_tokens + 1, setting.seed);
  Rng rng = named_stream(setting.seed, "mix");
  std::vector<std::vector<BlockId>> blocks;
  for (std::size_t i = 0; i < prompts.size(); ++i) blocks.push_back(cache.take(most));
  std::vector<std::size_t> done(prompts.size());
  const std::size_t chunk_most = setting.seed % 2 == 0 ? 1000 : 40;
  for (bool left = true; left;) {
    std::vector<std::size_t> members;
    for (std::size_t i = 0; i < prompts.size(); ++i) {
      if (done[i] < prompts[i].size() && rng() % 4 != 0) members.push_back(i);
    }
    for (std::size_t i = members.size(); i > 1; --i) {
      std::swap(members[i - 1], members[rng() % i]);
    }
    std::vector<StepSequence> step;
    std::vector<std::size_t> wanting;
    for (const std::size_t i : members) {
      const std::size_t size = std::min(1 + rng() % chunk_most, prompts[i].size() - done[i]);
      const bool wants = rng() % 5 != 0 || done[i] + size == prompts[i].size();
      step.push_back({std::span(prompts[i]).subspan(done[i], size),
                      static_cast<std::int64_t>(done[i]), blocks[i], wants});
      done[i] += size;
      if (wants) wanting.push_back(i);
    }
    const LogitRows logits = subject.forward(step, cache.cache());
    if (logits.rows != static_cast<std::int64_t>(wanting.size())) return "another number of rows";
    for (std::size_t row = 0; row < wanting.size(); ++row) {
      const std::size_t i = wanting[row];
      const auto found = logits.row(static_cast<std::int64_t>(row));
      if (!same_bits({found.begin(), found.end()}, expected[i][done[i] - 1])) {
        return "sequence " + std::to_string(i) + " at " + std::to_string(done[i] - 1) + ", seed " +
               std::to_string(setting.seed);
      }
    }
    left = false;
    for (std::size_t i = 0; i < prompts.size(); ++i) left = left || done[i] < prompts[i].size();
  }
  return "";
}

/// What in the logits depends on more than the sequence; "" where nothing does.
std::string variance_of(const MakeSubject& make, std::int32_t vocabulary) {
  const auto prompts = random_prompts(vocabulary);
  const Logits alone = solo_logits(make({1, 16, 1}), prompts);
  for (const Setting& setting : kSettings) {
    const Subject subject = make(setting);
    for (std::size_t i = 0; i < prompts.size(); ++i) {
      NanCache cache(subject.kv_shape, longest(prompts) / setting.block_tokens + 1, setting.seed);
      GrowingSequence sequence(subject.forward, cache,
                               static_cast<std::int64_t>(prompts[i].size()));
      if (!same_bits(sequence.append(prompts[i]), alone[i].back())) {
        return "the whole of sequence " + std::to_string(i);
      }
    }
    const std::string found = mixed_variance(subject, setting, prompts, alone);
    if (!found.empty()) return found;
  }
  return "";
}

/// A transformer with its own crew.
struct Crewed {
  Crewed(const ModelWeights& weights, GemmKind kind, int threads)
      : workers(threads), transformer(weights, kind, workers) {}

  Workers workers;
  Transformer transformer;
};

Subject subject_of(const ModelWeights& weights, GemmKind kind, const Setting& setting) {
  const auto crewed = std::make_shared<Crewed>(weights, kind, setting.threads);
  return {crewed, crewed->transformer.kv_shape(setting.block_tokens),
          [crewed](std::span<const StepSequence> step, KvCache& cache) {
            return crewed->transformer.forward(step, cache);
          }};
}

class TransformerInvariance : public ::testing::TestWithParam<std::tuple<std::string, GemmTier>> {};

INSTANTIATE_TEST_SUITE_P(Models, TransformerInvariance,
                         ::testing::Combine(::testing::ValuesIn(tiny_models()),
                                            ::testing::ValuesIn(gemm_tiers())),
                         [](const auto& at) {
                           std::string name = std::get<0>(at.param);
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name + "_" + std::get<1>(at.param).name();
                         });

// Would catch: anything that depends on a token's company, chunk, blocks or the number of threads,
// such as a way of its own for single tokens, groups of rows that go out of order, keys read before
// they are written, and rows mixed up when only some of them want logits.
TEST_P(TransformerInvariance, LogitsDependOnTheSequenceAlone) {
  const auto& [model, tier] = GetParam();
  if (!tier.runs_here()) GTEST_SKIP() << "this CPU has no " << tier.name();
  const CpuLevelCap cap(tier.level);
  const ModelWeights weights = load_weights("random:" + model);
  EXPECT_EQ(variance_of([&weights, kind = tier.kind](
                            const Setting& setting) { return subject_of(weights, kind, setting); },
                        weights.config.vocabulary),
            "");
}

/// Each of these is wrong in one respect only.
class TransformerInvarianceCheck : public ::testing::Test {
 protected:
  /// What the check says of llama-tiny with `spoil(forward, step, cache)` for its forward.
  template <typename Spoil>
  std::string variance_with(Spoil spoil) const {
    return variance_of(
        [&](const Setting& setting) {
          Subject subject = subject_of(weights_, GemmKind::f32, setting);
          subject.forward = [right = subject.forward, spoil](std::span<const StepSequence> step,
                                                             KvCache& cache) {
            return spoil(right, std::vector(step.begin(), step.end()), cache);
          };
          return subject;
        },
        weights_.config.vocabulary);
  }

  const ModelWeights weights_ = load_weights("random:llama-tiny");
};

// Would catch: a check that does not notice block tables that are mixed up.
TEST_F(TransformerInvarianceCheck, SeesMixedUpTables) {
  EXPECT_THAT(
      variance_with([](const Forward& right, std::vector<StepSequence> step, KvCache& cache) {
        if (step.size() == 3) std::swap(step[0].blocks, step[2].blocks);
        return right(step, cache);
      }),
      HasSubstr("sequence"));
}

// Would catch: a check that does not notice when a prompt's late tokens attend to its early ones
// before those are written.
TEST_F(TransformerInvarianceCheck, SeesAttentionBeforeTheWrite) {
  std::vector<float> kept;
  EXPECT_EQ(
      variance_with([&kept](const Forward& right, std::vector<StepSequence> step, KvCache& cache) {
        if (step.size() != 1 || step[0].tokens.size() <= 256) return right(step, cache);
        StepSequence early = step[0], late = step[0];
        early.tokens = early.tokens.first(256);
        late.tokens = late.tokens.subspan(256);
        late.first_position += 256;
        const LogitRows logits = right({&late, 1}, cache);
        kept.assign(logits.row(0).begin(), logits.row(0).end());
        right({&early, 1}, cache);
        return LogitRows{kept.data(), 1, logits.vocabulary};
      }),
      "the whole of sequence 6");
}

// Would catch: a check that does not notice another order of rounding for single tokens.
TEST_F(TransformerInvarianceCheck, SeesAnotherKernelForSingleTokens) {
  if (cpu_level() < CpuLevel::avx2) GTEST_SKIP() << "this CPU has one kernel only";
  std::shared_ptr<Crewed> other;
  {
    const CpuLevelCap cap(CpuLevel::baseline);
    other = std::make_shared<Crewed>(weights_, GemmKind::f32, 1);
  }
  EXPECT_EQ(
      variance_with([other](const Forward& right, std::vector<StepSequence> step, KvCache& cache) {
        const bool single = step.size() == 1 && step[0].tokens.size() == 1;
        return single ? other->transformer.forward(step, cache) : right(step, cache);
      }),
      "the whole of sequence 0");
}

}  // namespace
}  // namespace tokenyard
