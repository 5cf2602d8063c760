#include "sim/server/request_memory.hpp"

#include <algorithm>
#include <utility>

#include "sim/kernel/invariant.hpp"

namespace tokenyard {

namespace {

std::int64_t size_of(const BlockTable& table) {
  return static_cast<std::int64_t>(table.size());
}

}  // namespace

/// What is known of the request's content, block by block; the output's comes from the executor.
BlockHash RequestMemory::content(const LiveRequest& live, std::size_t block) const {
  const auto& prompt = live.facts.request.prompt_hashes;
  if (block < prompt.size()) return prompt[block];
  const auto full = static_cast<std::size_t>(live.view.prompt_tokens / blocks_.block_size());
  if (prompt.size() < full || block - full >= live.output_hashes.size()) return kNoHash;
  return live.output_hashes[block - full];
}

std::int64_t RequestMemory::find_prefix(const LiveRequest& live) {
  found_.clear();
  if (!prefix_caching_ || live.resident()) return 0;
  const bool wide = live.sequences.size() > 1;
  const std::int64_t known = wide ? live.view.prompt_tokens : live.view.known_tokens();
  const auto most = static_cast<std::size_t>((known - 1) / blocks_.block_size());
  contents_.clear();
  while (contents_.size() < most) {
    const BlockHash next = content(live, contents_.size());
    if (next == kNoHash) break;
    contents_.push_back(next);
  }
  blocks_.find_prefix(contents_, found_);
  return size_of(found_) * blocks_.block_size();
}

std::int64_t RequestMemory::known_prefix(std::span<const BlockHash> contents,
                                         std::int64_t prompt_tokens) {
  if (!prefix_caching_) return 0;
  const auto most = static_cast<std::size_t>((prompt_tokens - 1) / blocks_.block_size());
  asked_.clear();
  blocks_.find_prefix(contents.first(std::min(most, contents.size())), asked_);
  return size_of(asked_) * blocks_.block_size();
}

std::int64_t RequestMemory::growth(const LiveRequest& live, std::int64_t tokens,
                                   BlockTable Sequence::*table) const {
  const std::int64_t each = blocks_.blocks_for(tokens);
  const BlockTable& first = live.sequences.front().*table;
  const std::int64_t pledged = table == &Sequence::blocks ? live.pledged : 0;
  std::int64_t blocks = std::max<std::int64_t>(0, each - size_of(first) - pledged);
  if (live.sequences.size() == 1 || (live.sequences[1].*table).empty()) return blocks;
  for (std::size_t i = 1; i < live.sequences.size(); ++i) {
    blocks += std::max<std::int64_t>(0, each - size_of(live.sequences[i].*table));
  }
  if (live.view.computed % blocks_.block_size() == 0) return blocks;
  // Each writes behind what is computed: who shares that block needs a copy, but for the last one.
  const auto position = static_cast<std::size_t>(live.view.computed / blocks_.block_size());
  distinct_.clear();
  for (const Sequence& sequence : live.sequences) {
    distinct_.push_back((sequence.*table).at(position));
  }
  std::sort(distinct_.begin(), distinct_.end());
  const auto end = std::unique(distinct_.begin(), distinct_.end());
  return blocks + (distinct_.end() - end);
}

std::int64_t RequestMemory::lifetime(const LiveRequest& live) const {
  if (live.reserve_tokens == 0) return 0;
  return lifetime_blocks(static_cast<std::int64_t>(live.sequences.size()), live.view.prompt_tokens,
                         live.reserve_tokens, blocks_.block_size());
}

std::int64_t RequestMemory::blocks_to_enter(const LiveRequest& live, std::int64_t tokens) const {
  const bool parts = tokens > live.view.prompt_tokens;
  const auto width = parts ? static_cast<std::int64_t>(live.sequences.size()) : 1;
  return lifetime_blocks(width, live.view.prompt_tokens, tokens, blocks_.block_size());
}

std::int64_t RequestMemory::missing_blocks(const LiveRequest& live, std::int64_t tokens) const {
  if (live.resident()) {
    const std::int64_t more = growth(live, tokens, &Sequence::blocks);
    return std::max<std::int64_t>(0, more - size_of(live.reserved));
  }
  const std::int64_t all = std::max(blocks_to_enter(live, tokens), lifetime(live));
  return all - size_of(found_) + blocks_.count_free(found_);
}

void RequestMemory::grow(LiveRequest& live, BlockTable& table, std::int64_t blocks) {
  const bool grown = blocks_.grow(table, blocks);
  invariant(grown, "I2 blocks are conserved", "room for request {} was made and is not there",
            index(live.view.id));
}

/// What was reserved goes back to the pool for the instant until it is taken.
void RequestMemory::return_reserved(LiveRequest& live, std::int64_t most) {
  if (live.reserved.empty()) return;
  const auto own = static_cast<std::ptrdiff_t>(std::min(most, size_of(live.reserved)));
  BlockTable given(live.reserved.end() - own, live.reserved.end());
  live.reserved.resize(live.reserved.size() - static_cast<std::size_t>(own));
  blocks_.release(given);
}

void RequestMemory::pledge(LiveRequest& live, std::int64_t blocks) {
  invariant(blocks <= blocks_.free(), "I2 blocks are conserved",
            "room for request {} was made and is not there", index(live.view.id));
  blocks_.pledge(blocks);
  live.pledged += blocks;
}

void RequestMemory::append_block(LiveRequest& live) {
  BlockTable& table = live.sequences.front().blocks;
  if (leaves_open_ && live.reserved.empty()) {
    pledge(live, 1);
  } else {
    if (!live.reserved.empty()) return_reserved(live, 1);
    invariant(blocks_.free() > 0, "I2 blocks are conserved",
              "room for request {} was made and is not there", index(live.view.id));
    blocks_.append(table);
  }
  live.covered_tokens += blocks_.block_size();
  live.view.blocks_held = size_of(live.reserved) + size_of(table) + live.pledged;
}

void RequestMemory::fulfil(LiveRequest& live, std::int64_t tokens) {
  BlockTable& table = live.sequences.front().blocks;
  const std::int64_t missing = blocks_.blocks_for(tokens) - live.pledged - size_of(table);
  if (missing <= 0) return;
  const std::int64_t own = std::min(missing, size_of(live.reserved));
  if (own > 0) {
    return_reserved(live, own);
    grow(live, table, size_of(table) + own);
  }
  if (leaves_open_) {
    live.pledged += missing - own;
  } else {
    blocks_.redeem(table, missing - own);
  }
  live.covered_tokens = (size_of(table) + live.pledged) * blocks_.block_size();
  live.view.blocks_held = size_of(live.reserved) + size_of(table) + live.pledged;
}

void RequestMemory::settle(LiveRequest& live) {
  blocks_.redeem(live.sequences.front().blocks, std::exchange(live.pledged, 0));
}

void RequestMemory::extend(LiveRequest& live, std::int64_t tokens, std::vector<BlockCopy>& copies) {
  const std::int64_t each = blocks_.blocks_for(tokens);
  BlockTable& first = live.sequences.front().blocks;
  if (!live.resident()) {
    if (leaves_open_ && live.sequences.size() == 1 && live.reserve_tokens == 0) {
      pledge(live, each);
      live.view.computed = 0;
      recount(live);
      return;
    }
    const std::int64_t now = blocks_to_enter(live, tokens);
    const bool started = blocks_.start(first, found_, each);
    invariant(started, "I2 blocks are conserved", "room for request {} was made and is not there",
              index(live.view.id));
    if (now > each) {
      const auto shared = static_cast<std::size_t>(live.view.prompt_tokens / blocks_.block_size());
      for (std::size_t i = 1; i < live.sequences.size(); ++i) {
        live.sequences[i].blocks = blocks_.fork(first, shared);
        grow(live, live.sequences[i].blocks, each);
      }
    }
    grow(live, live.reserved, lifetime(live) - now);
    live.view.computed = size_of(found_) * blocks_.block_size();
    live.sealed_blocks = size_of(found_);
    if (live.facts.first_scheduled == kNever) live.facts.cached_tokens = live.view.computed;
    recount(live);
    return;
  }
  const std::int64_t more = growth(live, tokens, &Sequence::blocks);
  if (more == 0) return;
  return_reserved(live, more);
  if (live.pledged > 0) {
    pledge(live, more);
  } else if (!live.forked()) {
    grow(live, first, each);
  } else {
    const auto position = static_cast<std::size_t>(live.view.computed / blocks_.block_size());
    for (Sequence& sequence : live.sequences) {
      if (position < sequence.blocks.size()) {
        const auto copy = blocks_.make_writable(sequence.blocks, position);
        if (copy) copies.push_back(*copy);
      }
      grow(live, sequence.blocks, each);
    }
  }
  recount(live);
}

std::int64_t RequestMemory::blocks_to_return(const LiveRequest& live) const {
  const std::int64_t distinct = distinct_blocks(live, &Sequence::host_blocks);
  const std::int64_t next_step = growth(live, live.view.known_tokens(), &Sequence::host_blocks);
  return distinct + std::max(next_step, lifetime(live) - distinct);
}

void RequestMemory::reserve_for_return(LiveRequest& live, std::int64_t blocks) {
  grow(live, live.reserved, blocks - distinct_blocks(live, &Sequence::blocks));
  recount(live);
}

void RequestMemory::note_filled(LiveRequest& live, BlockHash content) const {
  if (content == kNoHash) return;
  const std::int64_t known = live.view.prompt_tokens / blocks_.block_size() +
                             static_cast<std::int64_t>(live.output_hashes.size());
  const bool comes_next = live.view.computed == (known + 1) * blocks_.block_size();
  if (comes_next) live.output_hashes.push_back(content);
}

void RequestMemory::computed(LiveRequest& live) {
  BlockTable& first = live.sequences.front().blocks;
  if (!live.forked() && live.view.computed == live.view.prompt_tokens) {
    const std::int64_t blocks = blocks_.blocks_for(live.view.prompt_tokens);
    for (std::size_t i = 1; i < live.sequences.size(); ++i) {
      live.sequences[i].blocks = blocks_.fork(first, static_cast<std::size_t>(blocks));
    }
  }
  seal(live);
  recount(live);
}

void RequestMemory::seal_filled(LiveRequest& live) {
  const BlockTable& first = live.sequences.front().blocks;
  const std::int64_t full = live.view.computed / blocks_.block_size();
  for (; live.sealed_blocks < full; ++live.sealed_blocks) {
    const auto block = static_cast<std::size_t>(live.sealed_blocks);
    const BlockHash known = content(live, block);
    if (known == kNoHash) break;
    blocks_.seal(first[block], known);
  }
}

void RequestMemory::follow_parents(LiveRequest& live, std::span<const SlotOutcome> outcomes) {
  const auto goes_on_alone = [&](std::size_t i) {
    return outcomes[i].parent < 0 || outcomes[i].parent == live.sequences[i].number;
  };
  bool all_alone = true;
  for (std::size_t i = 0; i < outcomes.size(); ++i) all_alone = all_alone && goes_on_alone(i);
  if (all_alone) return;
  std::vector<BlockTable> next;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const std::int32_t parent =
        outcomes[i].parent < 0 ? live.sequences[i].number : outcomes[i].parent;
    const auto from = std::find_if(live.sequences.begin(), live.sequences.end(),
                                   [&](const Sequence& s) { return s.number == parent; });
    invariant(from != live.sequences.end(), "I13 a beam has a living parent",
              "request {} has no sequence {}", index(live.view.id), parent);
    next.push_back(blocks_.fork(from->blocks));
  }
  for (std::size_t i = 0; i < next.size(); ++i) {
    blocks_.release(live.sequences[i].blocks);
    live.sequences[i].blocks = std::move(next[i]);
  }
  // What a beam that ended gave back stays reserved for those that will part again.
  if (live.reserve_tokens > 0) {
    grow(live, live.reserved, lifetime(live) - distinct_blocks(live, &Sequence::blocks));
  }
  recount(live);
}

void RequestMemory::end_finished(LiveRequest& live, std::span<const SlotOutcome> outcomes) {
  for (std::size_t i = outcomes.size(); i-- > 0;) {
    if (!outcomes[i].finished || live.sequences.size() == 1) continue;
    blocks_.release(live.sequences[i].blocks);
    live.sequences.erase(live.sequences.begin() + static_cast<std::ptrdiff_t>(i));
  }
  live.view.sequences = static_cast<std::int32_t>(live.sequences.size());
  recount(live);
}

void RequestMemory::release(LiveRequest& live) {
  if (live.sequences.size() == 1 && live.resident()) {
    // Those that were pledged to it in the cohort are not among its own yet.
    const std::int64_t chosen = size_of(live.sequences.front().blocks) + size_of(live.reserved);
    blocks_.withdraw(std::max(live.pledged, blocks_.blocks_for(live.view.computed) - chosen));
    live.pledged = 0;
  }
  for (Sequence& sequence : live.sequences) blocks_.release(sequence.blocks);
  if (!live.reserved.empty()) blocks_.release(live.reserved);
  live.sealed_blocks = 0;
  recount(live);
}

void RequestMemory::recount(LiveRequest& live) {
  if (live.sequences.size() == 1) {
    const BlockTable& table = live.sequences.front().blocks;
    const std::int64_t blocks = size_of(table) + live.pledged;
    const std::int64_t stored = blocks == 0 ? 0 : live.view.computed;
    stored_tokens_ += stored - live.stored_tokens;
    live.stored_tokens = stored;
    live.covered_tokens = blocks * blocks_.block_size();
    live.view.blocks_held = size_of(live.reserved) + blocks;
    return;
  }
  const std::int64_t tables = live.forked() ? static_cast<std::int64_t>(live.sequences.size()) : 1;
  const std::int64_t stored = live.resident() ? tables * live.view.computed : 0;
  stored_tokens_ += stored - live.stored_tokens;
  live.stored_tokens = stored;
  live.view.blocks_held = size_of(live.reserved);
  for (const Sequence& sequence : live.sequences) live.view.blocks_held += size_of(sequence.blocks);
}

std::int64_t RequestMemory::tally(const LiveRequest& live) {
  std::int64_t blocks = blocks_.tally(live.reserved) + live.pledged;
  for (const Sequence& sequence : live.sequences) blocks += blocks_.tally(sequence.blocks);
  return blocks;
}

std::int64_t RequestMemory::distinct_blocks(const LiveRequest& live,
                                            BlockTable Sequence::*table) const {
  if (live.sequences.size() == 1) {
    return size_of(live.sequences.front().*table) + (table == &Sequence::blocks ? live.pledged : 0);
  }
  distinct_.clear();
  for (const Sequence& sequence : live.sequences) {
    distinct_.insert(distinct_.end(), (sequence.*table).begin(), (sequence.*table).end());
  }
  std::sort(distinct_.begin(), distinct_.end());
  return std::unique(distinct_.begin(), distinct_.end()) - distinct_.begin();
}

}  // namespace tokenyard
