#include "tests/support/content_executor.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <exception>

namespace tokenyard::test {

namespace {

template <typename... Args>
void expect(bool right, fmt::format_string<Args...> text, Args&&... args) {
  if (!right) throw WrongContent(fmt::format(text, std::forward<Args>(args)...));
}

/// A token that nobody else has.
std::uint64_t own_token(std::size_t request, std::int64_t sequence, std::int64_t position) {
  const BlockHash of_sequence =
      chain(BlockHash{request + 1}, static_cast<std::uint64_t>(sequence + 1));
  return static_cast<std::uint64_t>(chain(of_sequence, static_cast<std::uint64_t>(position)));
}

}  // namespace

ContentExecutor::ContentExecutor(const CostModel& cost, const OutputOracle& oracle,
                                 const std::vector<Job>& jobs, std::int64_t block_size,
                                 ContentOptions options)
    : cost_(cost),
      oracle_(oracle),
      jobs_(jobs),
      block_size_(block_size),
      options_(std::move(options)),
      histories_(options_.histories == nullptr ? own_histories_ : *options_.histories) {}

ContentExecutor::~ContentExecutor() {
  if (std::uncaught_exceptions() > 0) return;  // the run was broken off
  try {
    finish_until(kNever);
  } catch (const WrongContent& wrong) {
    ADD_FAILURE() << wrong.what();
  }
}

void ContentExecutor::begin(const Iteration& iteration, Time now, Events& events) {
  finish_until(now);
  for (const KvCopy& copy : iteration.copies) begin_copy(copy, now, events);
  if (iteration.slots.empty()) return;
  Running& running = running_[iteration.id];
  for (const Slot& slot : iteration.slots) {
    expect_plausible(slot);
    running.readers.push_back({slot, {slot.blocks.begin(), slot.blocks.end()}});
  }
  for (const BlockCopy& copy : iteration.block_copies) {
    expect(copy.from != copy.to, "block {} is copied to itself", index(copy.from));
    if (!options_.forgets_block_copies) block(device_, copy.to) = block(device_, copy.from);
  }
  compute(running.readers);
  for (const Slot& slot : iteration.slots) running.outcomes.push_back(outcome_of(slot));
  if (options_.depth > 1) events.post(now, index(iteration.id), StageFree{iteration.id});
  free_at_ = running.end = std::max(now, free_at_) + cost_.iteration(iteration.load);
  events.post(running.end, index(iteration.id), IterationEnd{iteration.id, running.outcomes});
}

void ContentExecutor::finish_until(Time now) {
  for (auto at = running_.begin(); at != running_.end();) {
    if (at->second.end > now) {
      ++at;
      continue;
    }
    finish(at->second);
    at = running_.erase(at);
  }
  std::erase_if(copying_, [&](const Copying& copying) {
    if (copying.end <= now) finish(copying);
    return copying.end <= now;
  });
}

/// All that was there when it began must still be there; then each sequence has its next token.
void ContentExecutor::finish(const Running& running) {
  for (const Reader& reader : running.readers) {
    expect_history(reader, reader.slot.computed + reader.slot.new_tokens, "when it ends");
  }
  Histories next;
  for (std::size_t i = 0; i < running.readers.size(); ++i) {
    const Slot& slot = running.readers[i].slot;
    if (!slot.yields) continue;
    const std::int32_t parent = running.outcomes[i].parent;
    History past = histories_.at({index(slot.request), parent < 0 ? slot.sequence : parent});
    past.push_back(chain(past.back(), next_token(slot, past)));
    next[{index(slot.request), slot.sequence}] = std::move(past);
  }
  for (auto& [sequence, past] : next) histories_[sequence] = std::move(past);
}

void ContentExecutor::begin_copy(const KvCopy& copy, Time now, Events& events) {
  expect(copy.device_blocks.size() == copy.host_blocks.size() && !copy.device_blocks.empty(),
         "copy {} has {} device and {} host blocks", index(copy.id), copy.device_blocks.size(),
         copy.host_blocks.size());
  const bool outwards = copy.direction == CopyDirection::to_host;
  const auto& from = outwards ? copy.device_blocks : copy.host_blocks;
  const auto& to = outwards ? copy.host_blocks : copy.device_blocks;
  Copying copying{.end = {},
                  .id = copy.id,
                  .outwards = outwards,
                  .fails = options_.copy_fails && options_.copy_fails(copy.id),
                  .from = {from.begin(), from.end()},
                  .to = {to.begin(), to.end()},
                  .contents = {}};
  for (const BlockId id : from) copying.contents.push_back(block(outwards ? device_ : host_, id));
  for (const BlockId id : to) std::ranges::fill(block(outwards ? host_ : device_, id), kNoHash);
  Time& free_at = channel_free_at_[static_cast<std::size_t>(copy.direction)];
  const auto blocks = static_cast<std::int64_t>(from.size());
  free_at = std::max(now, free_at) + options_.copy_slowness * cost_.copy(blocks);
  copying.end = free_at;
  events.post(free_at, index(copy.id), CopyEnd{copy.id, copying.fails});
  copying_.push_back(std::move(copying));
}

void ContentExecutor::finish(const Copying& copying) {
  for (std::size_t i = 0; i < copying.from.size(); ++i) {
    expect(block(copying.outwards ? device_ : host_, copying.from[i]) == copying.contents[i],
           "block {} changed while copy {} read it", index(copying.from[i]), index(copying.id));
    Block& target = block(copying.outwards ? host_ : device_, copying.to[i]);
    expect(std::ranges::count(target, kNoHash) == block_size_,
           "block {} was written while copy {} wrote it", index(copying.to[i]), index(copying.id));
    const bool forgotten = !copying.outwards && options_.forgets_copies_back;
    if (!copying.fails && !forgotten) target = copying.contents[i];
  }
}

/// Each sequence finds what is said to be computed, then all compute.
void ContentExecutor::compute(const std::vector<Reader>& readers) {
  const Slot* first = nullptr;
  for (const Reader& reader : readers) {
    if (first == nullptr || first->request != reader.slot.request) first = &reader.slot;
    // Further sequences may read what the first of theirs computes in this iteration.
    const std::int64_t before = std::min(reader.slot.computed, first->computed);
    expect_history(reader, before, "when it begins");
  }
  for (const Reader& reader : readers) {
    if (reader.slot.padding) continue;
    const History& own = history(reader.slot);
    for (std::int64_t i = 0; i < reader.slot.new_tokens; ++i) {
      const auto at = static_cast<std::size_t>(reader.slot.computed + i);
      const auto size = static_cast<std::size_t>(block_size_);
      block(device_, reader.table.at(at / size)).at(at % size) = own.at(at);
    }
  }
  for (const Reader& reader : readers) {
    expect_history(reader, reader.slot.computed + reader.slot.new_tokens, "when all computed");
  }
}

SlotOutcome ContentExecutor::outcome_of(const Slot& slot) {
  SlotOutcome outcome;
  if (!slot.yields) return outcome;
  outcome.finished = slot.generated + 1 >= oracle_.output_tokens(slot.request, slot.sequence);
  if (slot.beam && slot.generated > 0) {
    outcome.parent = options_.parent
                         ? options_.parent(slot)
                         : beams_.parent(slot.request, slot.generated, slot.sequence, slot.width);
  }
  const std::int64_t computed = slot.computed + slot.new_tokens;
  if (computed % block_size_ == 0) {
    outcome.block_hash = history(slot).at(static_cast<std::size_t>(computed - 1));
  }
  return outcome;
}

History& ContentExecutor::history(const Slot& slot) {
  const std::size_t request = index(slot.request);
  const auto [known, is_new] = histories_.try_emplace({request, slot.sequence});
  if (!is_new) return known->second;
  const Job& job = jobs_.at(request);
  BlockHash so_far = chain_of(job.tenant);
  for (std::int64_t i = 0; i < job.prompt_tokens; ++i) {
    const auto at = static_cast<std::size_t>(i);
    so_far =
        chain(so_far, at < job.prompt_ids.size() ? job.prompt_ids[at] : own_token(request, -1, i));
    known->second.push_back(so_far);
  }
  return known->second;
}

std::uint64_t ContentExecutor::next_token(const Slot& slot, const History& past) const {
  const std::size_t request = index(slot.request);
  if (jobs_.at(request).width() > 1) return own_token(request, slot.sequence, slot.generated);
  return greedy_token(past.back());
}

ContentExecutor::Block& ContentExecutor::block(Pool& pool, BlockId id) {
  return pool.try_emplace(id, static_cast<std::size_t>(block_size_), kNoHash).first->second;
}

void ContentExecutor::expect_plausible(const Slot& slot) {
  const std::int64_t tokens = slot.computed + slot.new_tokens;
  const auto known = static_cast<std::int64_t>(history(slot).size());
  const auto places = static_cast<std::int64_t>(slot.blocks.size()) * block_size_;
  if (slot.padding) return;
  expect(slot.generated == known - jobs_.at(index(slot.request)).prompt_tokens,
         "request {} has other tokens than the {} the server counts", index(slot.request),
         slot.generated);
  expect(tokens <= known && tokens <= places,
         "request {} computes up to token {} of {}, with room for {}", index(slot.request), tokens,
         known, places);
  expect(slot.yields == (tokens == known), "request {} yields after token {} of {}",
         index(slot.request), tokens, known);
}

void ContentExecutor::expect_history(const Reader& reader, std::int64_t tokens, const char* when) {
  if (reader.slot.padding) return;
  const History& own = history(reader.slot);
  const auto size = static_cast<std::size_t>(block_size_);
  const auto end = static_cast<std::size_t>(tokens);
  for (std::size_t first = 0; first < end; first += size) {
    const BlockId id = reader.table.at(first / size);
    const Block& content = block(device_, id);
    for (std::size_t at = first; at < std::min(first + size, end); ++at) {
      expect(content[at - first] == own.at(at),
             "sequence {} of request {} does not find its token {} in block {} {}",
             reader.slot.sequence, index(reader.slot.request), at, index(id), when);
    }
  }
}

MakeExecutor checking_content(const std::vector<Job>& jobs, const ServerSettings& settings,
                              ContentOptions options) {
  return [&jobs, size = settings.kv.block_size, options = std::move(options)](
             const CostModel& cost, const OutputOracle& oracle) {
    return std::make_unique<ContentExecutor>(cost, oracle, jobs, size, options);
  };
}

}  // namespace tokenyard::test
