#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/kernels/huge_buffer.hpp"
#include "engine/kernels/packed_matrix.hpp"
#include "engine/kernels/workers.hpp"
#include "engine/kv_cache.hpp"

namespace tokenyard {

/// One sequence's share of a step: consecutive new tokens. It makes no difference whether they are
/// a prompt, a chunk of one, or one token of decoding.
struct AttentionSequence {
  std::span<const BlockId>
      blocks;  ///< its block table, which covers all tokens up to the last query
  std::int64_t first_position = 0;  ///< of the first query: tokens before it are in the cache
  std::int64_t queries = 0;
  std::int64_t first_row = 0;  ///< row of the first query in queries and outputs; others follow
};

/// Consecutive queries of a sequence and all heads that share one KV head: what one worker computes
/// at a time.
struct AttentionItem {
  std::int32_t sequence = 0;
  std::int32_t kv_head = 0;
  std::int64_t first_query = 0;  ///< of the sequence's
  std::int32_t queries = 0;
};

/// The attention of one step cut into items, the same for all layers. Block tables are checked here
/// (they break an invariant if they name no block of the cache or end too early) and must stay as
/// they are as long as the plan is used. Read-only, so safe to share between threads.
class AttentionPlan {
 public:
  /// `cache` must outlive the plan; its KV heads divide `heads`.
  AttentionPlan(const KvCache& cache, std::int32_t heads,
                std::span<const AttentionSequence> sequences);

  const KvCache& cache() const { return cache_; }
  std::int32_t heads() const { return heads_; }
  std::span<const AttentionSequence> sequences() const { return sequences_; }
  std::span<const AttentionItem> items() const { return items_; }
  /// The most rows (queries times heads a KV head) of an item.
  std::int64_t rows_most() const { return rows_most_; }

  /// Behind the last row of all sequences in queries and outputs.
  std::int64_t rows_end() const { return rows_end_; }

  /// The items of one worker: contiguous, and of about the same cost for each.
  Part part_of(int worker, int workers) const;

 private:
  void check(const AttentionSequence& sequence) const;
  void add_items(std::int32_t sequence);

  const KvCache& cache_;
  std::int32_t heads_;
  std::vector<AttentionSequence> sequences_;
  std::vector<AttentionItem> items_;
  std::vector<std::int64_t> cost_before_;  ///< of all items before; one more than there are items
  std::int64_t rows_most_ = 0;
  std::int64_t rows_end_ = 0;
};

/// What attention reads and writes beside the cache: [rows, heads x head_dim] matrices.
struct AttentionArrays {
  InputRows queries;
  OutputRows outputs;                   ///< does not overlap the queries
  float scale = 0;                      ///< of the products of queries and keys
  std::span<const float> alibi_slopes;  ///< one a query head, or empty
};

/// Working memory of one worker. It grows to the largest task; then nothing is allocated any more.
class AttentionScratch {
 public:
  float* floats(std::int64_t count);

 private:
  HugeBuffer memory_;
};

/// Scaled dot-product attention (Vaswani et al., arXiv 1706.03762, section 3.2.1) over the pages of
/// one layer for the plan's items [items.begin, items.end): the query at position p attends to
/// tokens 0 to p, whose keys and values (its own too) must be in the cache before any worker
/// begins. With ALiBi the score of token t gets slope x (t - p) added after scaling. Query head h
/// uses KV head h / (heads / kv_heads).
///
/// An output row depends on its query and on keys and values of tokens 0 to p, bit for bit on
/// nothing else: not on the batch, the chunking of the prompt, the block size, the blocks' places
/// or the cut into workers. AVX2 and AVX-512 agree too; the baseline, which lacks fma, rounds more
/// often.
///
/// Workers may run at the same time on items that do not overlap, each with its own scratch.
void attend(const AttentionPlan& plan, std::int32_t layer, Part items,
            const AttentionArrays& arrays, AttentionScratch& scratch);

}  // namespace tokenyard
