#include "engine/engine.hpp"

#include <algorithm>

#include "sim/kernel/invariant.hpp"

namespace tokenyard {

Engine::Engine(Transformer& model, KvCache& cache, RequestSource& source,
               const Tokenizer* tokenizer, Workers& workers)
    : model_(model),
      cache_(cache),
      source_(source),
      tokenizer_(tokenizer),
      workers_(workers),
      samplers_(static_cast<std::size_t>(workers.count())) {}

void Engine::prepare(const Iteration& iteration) {
  groups_.clear();
  for (std::size_t i = 0; i < iteration.slots.size(); ++i) {
    const Slot& slot = iteration.slots[i];
    if (i > 0 && slot.request == iteration.slots[i - 1].request) {
      ++groups_.back().slots;
      continue;
    }
    std::unique_ptr<Generation>& live = live_[slot.request];
    if (live == nullptr) {
      live = std::make_unique<Generation>(source_.request(slot.request), slot.width, slot.beam,
                                          model_.config(), tokenizer_);
    }
    groups_.push_back({live.get(), i, 1});
  }
}

/// Who computes which tokens. A sequence that only yields from the prompt of the first computes
/// none, and neither does a finished member of a static batch.
void Engine::gather_step(const Iteration& iteration) {
  std::int64_t total = 0;
  for (const Slot& slot : iteration.slots) total += slot.padding ? 0 : slot.new_tokens;
  tokens_.resize(static_cast<std::size_t>(total));
  step_.clear();
  std::span<Token> left(tokens_);
  std::int64_t rows = 0;
  for (Group& group : groups_) {
    group.first_row = -1;
    group.rows = 0;
    for (const Slot& slot : std::span(iteration.slots).subspan(group.first_slot, group.slots)) {
      if (slot.padding || slot.new_tokens == 0) continue;
      const auto tokens = left.first(static_cast<std::size_t>(slot.new_tokens));
      left = left.subspan(tokens.size());
      group.generation->read(slot.sequence, slot.computed, tokens);
      step_.push_back({tokens, slot.computed, slot.blocks, slot.yields});
      if (!slot.yields) continue;
      if (group.rows++ == 0) group.first_row = rows;
      ++rows;
    }
  }
}

std::span<const SlotOutcome> Engine::compute(const Iteration& iteration) {
  for (const BlockCopy& copy : iteration.block_copies) {
    cache_.copy_on_device(copy.from, copy.to);
  }
  gather_step(iteration);
  const LogitRows logits = step_.empty() ? LogitRows() : model_.forward(step_, cache_);
  choose_tokens(iteration, logits);
  return outcomes_;
}

void Engine::choose_tokens(const Iteration& iteration, const LogitRows& logits) {
  outcomes_.assign(iteration.slots.size(), SlotOutcome());
  workers_.run([&](int worker, int workers) {
    const Part part = part_of(static_cast<std::int64_t>(groups_.size()), worker, workers);
    std::vector<std::span<const float>> rows;
    for (std::int64_t i = part.begin; i < part.end; ++i) {
      const Group& group = groups_[static_cast<std::size_t>(i)];
      if (group.first_row < 0) continue;
      rows.clear();
      for (std::size_t slot = 0; slot < group.slots; ++slot) {
        const bool own = group.rows == static_cast<std::int64_t>(group.slots);
        rows.push_back(logits.row(group.first_row + (own ? static_cast<std::int64_t>(slot) : 0)));
        if (watcher_ == nullptr) continue;
        const Slot& from = iteration.slots[group.first_slot + slot];
        watcher_->row(from.request, from.sequence, from.generated, rows.back());
      }
      const Slot& first = iteration.slots[group.first_slot];
      const std::int64_t filled = first.computed + first.new_tokens;
      if (filled % cache_.shape().block_tokens == 0) {
        outcomes_[group.first_slot].block_hash = group.generation->content(filled);
      }
      group.generation->advance(std::span(iteration.slots).subspan(group.first_slot, group.slots),
                                rows, samplers_[static_cast<std::size_t>(worker)],
                                std::span(outcomes_).subspan(group.first_slot, group.slots));
    }
  });
}

void Engine::copy(const KvCopy& copy) {
  invariant(copy.device_blocks.size() == copy.host_blocks.size(), "I2 blocks are conserved",
            "a copy of {} blocks to {}", copy.device_blocks.size(), copy.host_blocks.size());
  for (std::size_t i = 0; i < copy.device_blocks.size(); ++i) {
    if (copy.direction == CopyDirection::to_host) {
      cache_.copy_to_host(copy.device_blocks[i], copy.host_blocks[i]);
    } else {
      cache_.copy_to_device(copy.host_blocks[i], copy.device_blocks[i]);
    }
  }
}

const Generation* Engine::generation(RequestId request) const {
  const auto found = live_.find(request);
  return found == live_.end() ? nullptr : found->second.get();
}

void Engine::forget(RequestId request) {
  live_.erase(request);
}

}  // namespace tokenyard
