#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "sim/ports/iteration.hpp"

namespace tokenyard {

/// What one pass decided, as far as a person wants to know it: where two runs part, this says who
/// ran in the one and who in the other. A value type.
struct DecisionWords {
  std::int64_t iteration = -1;      ///< its number; -1: no batch
  std::int64_t sequences = 0;       ///< in the batch
  std::int64_t prefill_tokens = 0;  ///< prompt or recomputed tokens
  std::int64_t repeat = 1;          ///< how often in a row it may run
  std::int64_t block_copies = 0;    ///< copy-on-write copies
  // Requests, in the order of the batch and of the copies.
  std::vector<std::int64_t> joined;  ///< were not in the batch before
  std::vector<std::int64_t> left;    ///< were, and are not in this one
  std::vector<std::int64_t> copied_out;
  std::vector<std::int64_t> copied_in;

  /// "iteration 7 of 3 sequences, 40 prompt tokens, with request 5 and without request 2", without
  /// a full stop; "nothing" where that is what was decided.
  std::string sentence() const;

  friend bool operator==(const DecisionWords&, const DecisionWords&) = default;
};

/// Puts decisions into words, one after another: it remembers the batch before. Work is O(batch),
/// memory that of the most requests that lived at once.
class DecisionTeller {
 public:
  DecisionWords tell(const Iteration& decision);

 private:
  /// Who last had a place, and in which batch that was, from 1.
  struct Seen {
    RequestId request{};
    std::uint64_t batch = 0;
  };

  using Batch = std::vector<std::pair<std::uint32_t, RequestId>>;  // places; each request once

  std::vector<Seen> seen_;
  Batch batch_before_, batch_;
  std::uint64_t batches_ = 0;
};

}  // namespace tokenyard
