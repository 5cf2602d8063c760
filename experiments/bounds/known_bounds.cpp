#include "experiments/bounds/known_bounds.hpp"

#include <bit>
#include <utility>

#include "traces/text_hash.hpp"

namespace tokenyard {

namespace {

/// Of all that `lower_bound_on_jct` looks at.
std::uint64_t fingerprint(std::span<const BoundRequest> requests, const ServerSettings& settings,
                          std::span<const CostFloor> floors) {
  TextHash hash;
  hash.word(requests.size());
  for (const BoundRequest& request : requests) {
    hash.integer((request.arrival - kOrigin).count());
    hash.integer(request.prompt_tokens);
    hash.integer(request.output_tokens);
  }
  hash.integer(settings.limits.max_num_seqs);
  hash.word(settings.limits.chunk_tokens > 0 ? 1 : 0);
  hash.integer(settings.kv.block_size);
  hash.integer(settings.kv.device_blocks);
  hash.word(settings.kv.prefix_caching ? 1 : 0);
  for (const CostFloor& floor : floors) {
    for (const double part :
         {floor.iteration_s, floor.prefill_token_s, floor.prefill_quadratic_s, floor.excess_token_s,
          floor.excess_from_s, floor.decode_sequence_s, floor.context_token_s}) {
      hash.word(std::bit_cast<std::uint64_t>(part));
    }
  }
  return hash.value();
}

}  // namespace

std::optional<JctBound> KnownBounds::of(std::vector<BoundRequest> requests,
                                        const ServerSettings& settings,
                                        std::span<const CostFloor> floors) {
  sort_for_bound(requests);
  std::packaged_task<Answer()> compute(
      [&] { return lower_bound_on_jct(std::move(requests), settings, floors); });
  const std::uint64_t key = fingerprint(requests, settings, floors);
  std::unique_lock lock(mutex_);
  const auto [found, is_new] = answers_.try_emplace(key);
  if (is_new) found->second = compute.get_future().share();
  const std::shared_future<Answer> answer = found->second;
  lock.unlock();
  if (is_new) compute();
  return answer.get();
}

std::size_t KnownBounds::size() const {
  const std::scoped_lock lock(mutex_);
  return answers_.size();
}

}  // namespace tokenyard
