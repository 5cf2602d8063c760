#pragma once
// A cost model whose answers can be worked out on paper.

#include "sim/ports/cost_model.hpp"

namespace tokenyard::test {

/// The linear form in whole nanoseconds: nothing is rounded, so expected times are exact.
/// Immutable.
class IntegerCost final : public CostModel {
 public:
  struct Terms {
    Duration iteration{0};        ///< of every iteration
    Duration prefill_token{0};    ///< of a prompt or recomputed token
    Duration decode_sequence{0};  ///< of a decoding sequence
    Duration context_token{0};    ///< of a token attended to by a decoding sequence
    Duration copy_block{0};       ///< of a KV block copied to or from the host
  };

  explicit IntegerCost(Terms terms) : terms_(terms) {}
  /// A server of constant rate: every iteration takes `iteration`, whatever is in it.
  explicit IntegerCost(Duration iteration) : terms_{.iteration = iteration} {}

  Duration iteration(const IterationLoad& load) const override {
    return terms_.iteration + terms_.prefill_token * load.prefill_tokens +
           terms_.decode_sequence * load.decode_sequences +
           terms_.context_token * load.decode_context_tokens;
  }

  Duration copy(std::int64_t blocks) const override { return terms_.copy_block * blocks; }

 private:
  Terms terms_;
};

/// Costs that grow with all there is, the context too.
inline const IntegerCost& varied_cost() {
  using namespace std::chrono_literals;
  static const IntegerCost model({.iteration = 1ms,
                                  .prefill_token = 10us,
                                  .decode_sequence = 20us,
                                  .context_token = 1us,
                                  .copy_block = 700us});
  return model;
}

}  // namespace tokenyard::test
