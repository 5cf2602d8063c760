#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "engine/generation.hpp"
#include "engine/kernels/workers.hpp"
#include "engine/kv_cache.hpp"
#include "engine/transformer.hpp"
#include "sim/ports/iteration.hpp"

namespace tokenyard {

/// Sees all logits, for tests and tools. Rows of different requests may come at the same time, from
/// several threads.
class LogitWatcher {
 public:
  virtual ~LogitWatcher() = default;

  /// Those from which the sequence's output token number `position` is chosen.
  virtual void row(RequestId request, std::int32_t sequence, std::int64_t position,
                   std::span<const float> logits) = 0;
};

/// Carries out what a scheduler decides on a real model: copies KV, computes the batch, chooses
/// tokens. It knows neither clock nor queue; its executors do. Refers to all it is given.
///
/// Threads: `prepare` and `forget` belong to the thread that begins iterations, `compute` to one
/// thread at a time, which `prepare` must not overlap. Copies may run beside `compute`: the server
/// sees to it that they touch no block of the batch.
class Engine {
 public:
  Engine(Transformer& model, KvCache& cache, RequestSource& source, const Tokenizer* tokenizer,
         Workers& workers);

  /// Takes up the requests of an iteration that is about to begin. Throws `InputError` for one
  /// that cannot be run.
  void prepare(const Iteration& iteration);

  /// Computes what was prepared, its copies on the device first. What became of each slot is valid
  /// until the next call.
  std::span<const SlotOutcome> compute(const Iteration& iteration);

  /// Copies a request's KV between device and host.
  void copy(const KvCopy& copy);

  /// From now on shows all logits to `watcher`, which must outlive the engine; null: to nobody.
  void show_logits(LogitWatcher* watcher) { watcher_ = watcher; }

  /// What a request that was begun has said so far; null for others.
  const Generation* generation(RequestId request) const;
  /// Drops it.
  void forget(RequestId request);

 private:
  /// The slots of one request in the iteration.
  struct Group {
    Generation* generation = nullptr;
    std::size_t first_slot = 0;
    std::size_t slots = 0;
    std::int64_t first_row = -1;  ///< of logits; -1: nothing is yielded
    std::int64_t rows = 0;        ///< one a slot, or one for all
  };

  void gather_step(const Iteration& iteration);
  void choose_tokens(const Iteration& iteration, const LogitRows& logits);

  Transformer& model_;
  KvCache& cache_;
  RequestSource& source_;
  const Tokenizer* tokenizer_;
  Workers& workers_;
  std::unordered_map<RequestId, std::unique_ptr<Generation>> live_;  ///< only looked up
  LogitWatcher* watcher_ = nullptr;
  std::vector<Sampler> samplers_;  ///< one a worker

  // Of the iteration under way.
  std::vector<Group> groups_;
  std::vector<Token> tokens_;
  std::vector<StepSequence> step_;
  std::vector<SlotOutcome> outcomes_;
};

}  // namespace tokenyard
