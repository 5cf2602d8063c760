#pragma once
// An executor that keeps a model of what stands in each physical KV block, and finds out when a
// sequence would attend to anything but its own history.

#include <functional>
#include <map>
#include <stdexcept>
#include <utility>
#include <vector>

#include "models/beam_survival.hpp"
#include "sim/ports/cost_model.hpp"
#include "sim/ports/executor.hpp"
#include "sim/ports/output_oracle.hpp"
#include "tests/support/simulation.hpp"

namespace tokenyard::test {

/// A sequence would have read what is not its own, or the server said what cannot be.
class WrongContent : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// What a request of one sequence says next; few different tokens, so that outputs meet prompts.
constexpr std::uint64_t greedy_token(BlockHash so_far) {
  return 100 + static_cast<std::uint64_t>(so_far) % 3;
}

/// Of each token of a sequence, the chained hash of it and all before it: two sequences are equal
/// where the last entries are.
using History = std::vector<BlockHash>;
/// By request and number of the sequence.
using Histories = std::map<std::pair<std::size_t, std::int32_t>, History>;

/// What it does besides what a `ModelExecutor` does.
struct ContentOptions {
  int depth = 1;                             ///< iterations held at once, one after the other
  std::function<bool(CopyId)> copy_fails{};  ///< empty: none fails
  std::int64_t copy_slowness = 1;            ///< copies take so many times what they cost
  /// Which beam a beam goes on from; empty: as `BeamSurvival` draws.
  std::function<std::int32_t(const Slot&)> parent{};
  Histories* histories = nullptr;  ///< where prompts and outputs are left, if anywhere
  // Faults of this executor's own, with which tests show that it finds them.
  bool forgets_block_copies = false;
  bool forgets_copies_back = false;
};

/// The KV of a token depends on all tokens up to it, so a place in a block holds the chained hash
/// of them (block_hash.hpp); a place nobody wrote holds nothing. Before an iteration each of its
/// sequences must find its history in its table, and when it ends find it still there. A block that
/// is being copied must not change at either side before the copy has ended. Prompts without ids
/// are unlike all others; a request with one sequence decodes greedily (alike after alike), each of
/// several as nobody else. Throws `WrongContent`.
class ContentExecutor final : public Executor {
 public:
  ContentExecutor(const CostModel& cost, const OutputOracle& oracle, const std::vector<Job>& jobs,
                  std::int64_t block_size, ContentOptions options = {});
  /// What ended last is looked at here; a fault then fails the test that is running.
  ~ContentExecutor() override;

  int depth() const override { return options_.depth; }
  void begin(const Iteration& iteration, Time now, Events& events) override;

 private:
  using Block = std::vector<BlockHash>;
  using Pool = std::map<BlockId, Block>;

  struct Reader {
    Slot slot;  // its span is not used after the iteration's begin
    BlockTable table;
  };
  struct Running {
    Time end;
    std::vector<Reader> readers;
    std::vector<SlotOutcome> outcomes;
  };
  struct Copying {
    Time end;
    CopyId id{};
    bool outwards = false;
    bool fails = false;
    BlockTable from, to;
    std::vector<Block> contents;
  };

  void finish_until(Time now);
  void finish(const Running& running);
  void finish(const Copying& copying);
  void begin_copy(const KvCopy& copy, Time now, Events& events);
  void compute(const std::vector<Reader>& readers);
  SlotOutcome outcome_of(const Slot& slot);

  History& history(const Slot& slot);
  std::uint64_t next_token(const Slot& slot, const History& past) const;
  Block& block(Pool& pool, BlockId id);
  void expect_plausible(const Slot& slot);
  void expect_history(const Reader& reader, std::int64_t tokens, const char* when);

  const CostModel& cost_;
  const OutputOracle& oracle_;
  const std::vector<Job>& jobs_;
  std::int64_t block_size_;
  ContentOptions options_;
  BeamSurvival beams_{1};
  Pool device_, host_;
  Histories own_histories_;
  Histories& histories_;
  std::map<IterationId, Running> running_;
  std::vector<Copying> copying_;
  Time free_at_ = kOrigin;
  Time channel_free_at_[2] = {kOrigin, kOrigin};  // by CopyDirection
};

/// For `simulate`.
MakeExecutor checking_content(const std::vector<Job>& jobs, const ServerSettings& settings,
                              ContentOptions options = {});

}  // namespace tokenyard::test
