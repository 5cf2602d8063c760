#include "engine/calibration.hpp"

#include <algorithm>
#include <vector>

#include "engine/engine_probe.hpp"

namespace tokenyard {

namespace {

constexpr std::int64_t kSequences = 8;
constexpr std::int64_t kPrompt = 64;

/// The fastest of three.
template <typename Measure>
Duration fastest(Measure measure) {
  Duration least = Duration::max();
  for (int i = 0; i < 3; ++i) least = std::min(least, measure());
  return least;
}

}  // namespace

Calibration calibrate(EngineModel& model, std::int32_t block_tokens) {
  const std::int64_t prompt = std::min<std::int64_t>(kPrompt, model.config().context - 2);
  const std::int64_t blocks = (prompt + 1 + block_tokens - 1) / block_tokens;
  EngineProbe probe(model, block_tokens, blocks * kSequences);
  const std::vector<ProbeSequence> decodes(kSequences, ProbeSequence{prompt, 1});
  const ProbeSequence whole{0, prompt};
  probe.iteration(decodes);
  const Duration one = fastest([&] { return probe.iteration(std::span(decodes).first(1)); });
  const Duration all = fastest([&] { return probe.iteration(decodes); });
  const Duration prefill = fastest([&] { return probe.iteration({&whole, 1}); });
  Calibration found;
  found.decode_sequence = std::max(Duration{0}, all - one) / (kSequences - 1);
  found.iteration = std::max(Duration{1}, one - found.decode_sequence);
  found.prefill_token = std::max(Duration{1}, prefill - found.iteration) / prompt;
  found.copy_block = fastest([&] { return probe.copy(1, CopyDirection::to_host); });
  return found;
}

}  // namespace tokenyard
