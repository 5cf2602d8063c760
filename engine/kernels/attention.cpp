#include "engine/kernels/attention.hpp"

#include <algorithm>
#include <limits>

#include "engine/kernels/attention_kernel.hpp"
#include "engine/kernels/cpu_features.hpp"
#include "sim/kernel/invariant.hpp"

namespace tokenyard {
namespace {

/// Rows of an item, but for a group that alone has more: enough that fetching keys and values costs
/// little beside computing with them, few enough that all stays in the second-level cache.
constexpr std::int64_t kItemRows = 64;

const AttentionKernel& kernel_for(CpuLevel level) {
#if defined(__x86_64__)
  if (level >= CpuLevel::avx512) return avx512::attention_kernel;
  if (level == CpuLevel::avx2) return avx2::attention_kernel;
#endif
  (void)level;
  return baseline::attention_kernel;
}

/// The scratch, cut up for tasks of at most `rows` rows.
AttentionBuffers buffers_in(AttentionScratch& scratch, std::int64_t rows, std::int64_t head_dim) {
  AttentionBuffers buffers;
  buffers.value_stride = (head_dim + kAttentionPad - 1) / kAttentionPad * kAttentionPad;
  const std::int64_t keys = head_dim * kAttentionChunk;
  const std::int64_t values = buffers.value_stride * kAttentionChunk;
  const std::int64_t scores = kAttentionTileRows * kAttentionChunk;
  const std::int64_t queries = rows * head_dim;
  const std::int64_t outputs = rows * buffers.value_stride;
  float* at = scratch.floats(keys + values + scores + queries + outputs + 2 * rows);
  const auto take = [&at](std::int64_t floats) {
    at += floats;
    return at - floats;
  };
  buffers.keys = take(keys);
  buffers.values = take(values);
  buffers.scores = take(scores);
  buffers.outputs = take(outputs);
  buffers.queries = take(queries);
  buffers.largest = take(rows);
  buffers.sums = take(rows);
  return buffers;
}

/// Items [begin, end) are the same queries of KV heads that follow one another.
AttentionTask task_of(const AttentionPlan& plan, std::int32_t layer, const AttentionArrays& arrays,
                      Part items) {
  const AttentionItem& item = plan.items()[static_cast<std::size_t>(items.begin)];
  const KvCache& cache = plan.cache();
  const KvShape& shape = cache.shape();
  const AttentionSequence& sequence = plan.sequences()[static_cast<std::size_t>(item.sequence)];
  const std::int32_t group = plan.heads() / shape.kv_heads;
  const std::int64_t first_head = static_cast<std::int64_t>(item.kv_head) * group;
  const std::int64_t row = sequence.first_row + item.first_query;
  AttentionTask task;
  task.pool = cache.device_data();
  task.block_bytes = shape.block_bytes();
  task.kv_heads = static_cast<std::int32_t>(items.end - items.begin);
  task.head_bytes = shape.head_bytes();
  task.keys_offset = cache.offset(layer, true, item.kv_head);
  task.values_offset = cache.offset(layer, false, item.kv_head);
  task.bf16 = shape.element == ElementType::bf16;
  task.block_tokens = shape.block_tokens;
  task.key_tokens = shape.key_tokens();
  task.head_dim = shape.head_dim;
  task.blocks = sequence.blocks.data();
  task.first_position = sequence.first_position + item.first_query;
  task.tokens = item.queries;
  task.group = group;
  task.queries = arrays.queries.data + row * arrays.queries.stride + first_head * shape.head_dim;
  task.query_stride = arrays.queries.stride;
  task.outputs = arrays.outputs.data + row * arrays.outputs.stride + first_head * shape.head_dim;
  task.output_stride = arrays.outputs.stride;
  task.scale = arrays.scale;
  if (!arrays.alibi_slopes.empty()) task.slopes = arrays.alibi_slopes.data() + first_head;
  return task;
}

/// The items from `items.begin` on that make up one task: the KV heads of the same queries, as far
/// as their rows are few. Their pages are neighbours, so together they are read faster.
Part first_task(const AttentionPlan& plan, Part items) {
  const auto at = [&](std::int64_t item) { return plan.items()[static_cast<std::size_t>(item)]; };
  const AttentionItem first = at(items.begin);
  const std::int64_t rows = first.queries * (plan.heads() / plan.cache().shape().kv_heads);
  std::int64_t end = items.begin + 1;
  while (end < items.end && at(end).sequence == first.sequence &&
         at(end).first_query == first.first_query && rows * (end + 1 - items.begin) <= kItemRows) {
    ++end;
  }
  return {items.begin, end};
}

}  // namespace

AttentionPlan::AttentionPlan(const KvCache& cache, std::int32_t heads,
                             std::span<const AttentionSequence> sequences)
    : cache_(cache), heads_(heads), sequences_(sequences.begin(), sequences.end()) {
  invariant(heads >= 1 && heads % cache.shape().kv_heads == 0,
            "attention: the KV heads divide the heads", "{} heads, {} KV heads", heads,
            cache.shape().kv_heads);
  cost_before_.push_back(0);
  for (std::size_t i = 0; i < sequences_.size(); ++i) {
    check(sequences_[i]);
    rows_end_ = std::max(rows_end_, sequences_[i].first_row + sequences_[i].queries);
    add_items(static_cast<std::int32_t>(i));
  }
}

void AttentionPlan::check(const AttentionSequence& sequence) const {
  const std::int64_t size = cache_.shape().block_tokens;
  const std::int64_t covered = static_cast<std::int64_t>(sequence.blocks.size()) * size;
  invariant(sequence.first_position >= 0 && sequence.queries >= 0 && sequence.first_row >= 0 &&
                sequence.first_position <= covered &&
                sequence.queries <= covered - sequence.first_position,
            "attention: a block table covers the queries", "{} queries from {} in {} blocks of {}",
            sequence.queries, sequence.first_position, sequence.blocks.size(), size);
  invariant(covered <= std::numeric_limits<std::int32_t>::max(),
            "attention: positions have 31 bits", "{}", covered);
  for (const BlockId block : sequence.blocks) {
    invariant(static_cast<std::int64_t>(index(block)) < cache_.device_blocks(),
              "attention: a block exists", "block {} of {}", index(block), cache_.device_blocks());
  }
}

void AttentionPlan::add_items(std::int32_t sequence) {
  const AttentionSequence& of = sequences_[static_cast<std::size_t>(sequence)];
  const std::int32_t kv_heads = cache_.shape().kv_heads;
  const std::int64_t group = heads_ / kv_heads;
  const std::int64_t most = std::max<std::int64_t>(1, kItemRows / group);
  for (std::int32_t head = 0; head < kv_heads; ++head) {
    for (std::int64_t query = 0; query < of.queries;) {
      // An item ends where a chunk does, so that as few of its rows as possible see only part of
      // one.
      const std::int64_t position = of.first_position + query;
      const std::int64_t count = std::min(most - position % most, of.queries - query);
      items_.push_back({sequence, head, query, static_cast<std::int32_t>(count)});
      const std::int64_t rows = count * group;
      rows_most_ = std::max(rows_most_, rows);
      // Fetching a token's key and value costs about as much as eight rows' work with them.
      cost_before_.push_back(cost_before_.back() + (position + count) * (8 + rows));
      query += count;
    }
  }
}

Part AttentionPlan::part_of(int worker, int workers) const {
  const auto begin_of = [&](int number) {
    const auto share = static_cast<double>(cost_before_.back()) * number / workers;
    const auto at = std::lower_bound(
        cost_before_.begin(), cost_before_.end() - 1, share,
        [](std::int64_t before, double wanted) { return static_cast<double>(before) < wanted; });
    return static_cast<std::int64_t>(at - cost_before_.begin());
  };
  return {begin_of(worker), begin_of(worker + 1)};
}

float* AttentionScratch::floats(std::int64_t count) {
  const auto bytes = static_cast<std::size_t>(count) * sizeof(float);
  if (bytes > memory_.bytes()) memory_ = HugeBuffer(bytes);
  return reinterpret_cast<float*>(memory_.data());
}

void attend(const AttentionPlan& plan, std::int32_t layer, Part items,
            const AttentionArrays& arrays, AttentionScratch& scratch) {
  invariant(items.begin >= 0 && items.end <= static_cast<std::int64_t>(plan.items().size()),
            "attention: items are the plan's", "[{}, {}) of {}", items.begin, items.end,
            plan.items().size());
  invariant(plan.rows_end() <= arrays.queries.rows, "attention: all queries are there",
            "{} rows of {}", plan.rows_end(), arrays.queries.rows);
  invariant(arrays.alibi_slopes.empty() ||
                arrays.alibi_slopes.size() == static_cast<std::size_t>(plan.heads()),
            "attention: a slope for each head", "{} for {} heads", arrays.alibi_slopes.size(),
            plan.heads());
  if (items.begin >= items.end) return;
  const AttentionKernel& kernel = kernel_for(cpu_level());
  const AttentionBuffers buffers =
      buffers_in(scratch, std::max(plan.rows_most(), kItemRows), plan.cache().shape().head_dim);
  Part part = first_task(plan, items);
  AttentionTask task = task_of(plan, layer, arrays, part);
  while (part.end < items.end) {
    part = first_task(plan, {part.end, items.end});
    const AttentionTask next = task_of(plan, layer, arrays, part);
    kernel.attend(task, &next, buffers);
    task = next;
  }
  kernel.attend(task, nullptr, buffers);
}

}  // namespace tokenyard
