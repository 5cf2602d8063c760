#include "engine/engine_probe.hpp"

#include <algorithm>

#include "sim/kernel/invariant.hpp"
#include "sim/kernel/rng.hpp"

namespace tokenyard {

EngineRequest EngineProbe::Requests::request(RequestId id) {
  const auto place = static_cast<std::uint32_t>(index(id)) - first_id;
  EngineRequest made;
  made.params.temperature = 1.0;
  made.params.max_tokens = 1;
  made.params.ignore_eos = true;
  made.seed = index(id);
  made.forced_tokens = {1};
  Rng rng = named_stream(0, "probe", index(id));
  for (std::int64_t i = 0; i < prompt_tokens[place]; ++i) {
    made.prompt.push_back(static_cast<Token>(rng() % static_cast<std::uint64_t>(vocabulary_)));
  }
  return made;
}

EngineProbe::EngineProbe(EngineModel& model, std::int32_t block_tokens, std::int64_t blocks)
    : block_tokens_(block_tokens),
      cache_(model.kv_shape(block_tokens), blocks, blocks),
      requests_(model.config().vocabulary),
      engine_(model.transformer(), cache_, requests_, model.tokenizer(), model.workers()),
      executor_(engine_, clock_) {
  // Memory that was never written is one page of zeros, which reads faster than any KV.
  for (std::int64_t i = 0; i < blocks; ++i) {
    blocks_.push_back(BlockId{static_cast<std::uint32_t>(i)});
    cache_.copy_to_host(blocks_.back(), blocks_.back());
    cache_.copy_to_device(blocks_.back(), blocks_.back());
  }
}

Duration EngineProbe::carry_out(const Iteration& iteration) {
  const Time begun = clock_.now();
  executor_.begin(iteration, begun, events_);
  const Time ended = clock_.wait(events_, kNever, Events::kKinds);
  events_.take_due(kNever, due_);
  executor_.check();
  return std::max(Duration{1}, ended - begun);
}

Duration EngineProbe::iteration(std::span<const ProbeSequence> sequences) {
  Iteration iteration;
  iteration.id = IterationId{next_id_};
  requests_.first_id = next_id_;
  requests_.prompt_tokens.clear();
  std::int64_t block = 0;
  for (const ProbeSequence& each : sequences) {
    const std::int64_t context = each.computed + each.new_tokens;
    const std::int64_t needed = (context + block_tokens_ - 1) / block_tokens_;
    invariant(block + needed <= blocks(), "I2 blocks are conserved", "{} of {} blocks",
              block + needed, blocks());
    Slot slot;
    slot.request = RequestId{next_id_++};
    slot.computed = each.computed;
    slot.new_tokens = each.new_tokens;
    slot.yields = each.yields;
    slot.blocks = std::span(blocks_).subspan(static_cast<std::size_t>(block),
                                             static_cast<std::size_t>(needed));
    iteration.slots.push_back(slot);
    requests_.prompt_tokens.push_back(context);
    block += needed;
  }
  // A request is taken up once in its life, which is not what an iteration is measured for.
  engine_.prepare(iteration);
  const Duration took = carry_out(iteration);
  for (const Slot& slot : iteration.slots) engine_.forget(slot.request);
  return took;
}

Duration EngineProbe::copy(std::int64_t blocks, CopyDirection direction) {
  Iteration iteration;
  const auto part = std::span<const BlockId>(blocks_).first(static_cast<std::size_t>(blocks));
  iteration.copies.push_back({CopyId{next_id_++}, RequestId{0}, direction, part, part});
  return carry_out(iteration);
}

}  // namespace tokenyard
