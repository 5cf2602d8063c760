#include "engine/calibration.hpp"

#include <algorithm>
#include <vector>

#include "sim/kernel/clock.hpp"

namespace tokenyard {

namespace {

constexpr int kSequences = 8;
constexpr int kPrompt = 64;

/// The fastest of three.
template <typename Work>
Duration fastest(Work work) {
  Duration least = Duration::max();
  for (int i = 0; i < 3; ++i) {
    const WallClock since_now;
    work();
    least = std::min(least, since_now.now() - kOrigin);
  }
  return std::max(Duration{1}, least);
}

}  // namespace

Calibration calibrate(EngineModel& model, std::int32_t block_tokens) {
  const int prompt = std::min(kPrompt, model.config().context - 1);
  const int blocks = (prompt + 1 + block_tokens - 1) / block_tokens;
  KvCache cache(model.kv_shape(block_tokens), blocks * kSequences, 1);
  std::vector<std::vector<BlockId>> tables(kSequences);
  for (int i = 0; i < blocks * kSequences; ++i) {
    tables[static_cast<std::size_t>(i / blocks)].push_back(BlockId{static_cast<std::uint32_t>(i)});
  }
  const std::vector<Token> tokens(static_cast<std::size_t>(prompt), 0);
  const auto prefill = [&](int sequences) {
    std::vector<StepSequence> step;
    for (int i = 0; i < sequences; ++i) {
      step.push_back({tokens, 0, tables[static_cast<std::size_t>(i)], true});
    }
    model.transformer().forward(step, cache);
  };
  const auto decode = [&](int sequences) {
    std::vector<StepSequence> step;
    for (int i = 0; i < sequences; ++i) {
      step.push_back(
          {std::span(tokens).first(1), prompt, tables[static_cast<std::size_t>(i)], true});
    }
    model.transformer().forward(step, cache);
  };
  prefill(kSequences);
  const Duration one = fastest([&] { decode(1); });
  const Duration all = fastest([&] { decode(kSequences); });
  const Duration whole = fastest([&] { prefill(1); });
  Calibration found;
  found.decode_sequence = std::max(Duration{0}, all - one) / (kSequences - 1);
  found.iteration = std::max(Duration{1}, one - found.decode_sequence);
  found.prefill_token = std::max(Duration{1}, whole - found.iteration) / prompt;
  found.copy_block = fastest([&] { cache.copy_to_host(BlockId{0}, BlockId{0}); });
  return found;
}

}  // namespace tokenyard
