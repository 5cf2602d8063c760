#pragma once
// What a scheduling policy is: it gives each live request its place in the ranking, and does
// nothing else. The only header that a policy includes.

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>

#include "sim/kernel/time.hpp"
#include "sim/ports/cost_model.hpp"
#include "sim/ports/length_predictor.hpp"
#include "sim/ports/parameters.hpp"
#include "sim/ports/ranking.hpp"
#include "sim/ports/request_view.hpp"

namespace tokenyard {

/// What a policy cannot do without.
struct Needs {
  bool length_predictor = false;
};

/// How a request lost its place in device memory: its tokens must be computed again, or its KV is
/// copied to the host. It keeps its rank.
enum class Eviction : std::uint8_t { recompute, swap };

/// The batch that was just formed, as a policy is asked about it.
struct Running {
  /// In ranking order; without those to which the policy is indifferent for a while.
  std::span<const RequestView* const> requests;
  bool leads = false;  ///< no ranked request outside the batch ranks better than one inside
};

/// How long the ranking stands while nothing happens but that the batch decodes on: no request
/// changes places with another before the first of these bounds is reached.
struct Steady {
  static constexpr std::int64_t kForGood = std::numeric_limits<std::int64_t>::max();

  std::int64_t iterations = 1;        ///< so many iterations may be decided and booked at once
  Time until = kNever;                ///< before this instant
  Duration length = Duration::max();  ///< while they take less than this together
};

/// Why a request left: it finished, its client gave up, or it goes on at another replica.
enum class Departure : std::uint8_t { finished, cancelled, moved };

/// The instant at which a hook is called, and the doors to what a policy may ask.
class PolicyContext {
 public:
  virtual ~PolicyContext() = default;

  /// The instant of this pass; the same in all its calls.
  Time now() const { return now_; }
  /// Iterations begun so far: a request with `last_iteration` n was passed over
  /// iterations() - n times.
  std::uint64_t iterations() const { return iterations_; }
  /// The advising cost model (it may differ from the one that charges).
  const CostModel& cost() const { return *cost_; }
  /// Present if and only if the policy's `needs` ask for it.
  const LengthPredictor& predictor() const { return *predictor_; }
  /// Most sequences in an iteration.
  std::int64_t max_num_seqs() const { return max_num_seqs_; }
  /// A live request.
  virtual const RequestView& request(RequestId id) const = 0;

 protected:
  Time now_ = kOrigin;
  std::uint64_t iterations_ = 0;
  std::int64_t max_num_seqs_ = 1;
  const CostModel* cost_ = nullptr;
  const LengthPredictor* predictor_ = nullptr;
};

/// Contract: the same calls give the same answers. No clock, no I/O, no globals, no hash order, no
/// knowledge beyond the arguments. Every live request is ranked or held by the end of `on_arrive`.
/// A boundary's calls come in this order: `on_progress` and `on_end` in ranking order, then
/// `refresh`, then `on_arrive` by arrival, then, when the batch is formed, `on_evict`. One object
/// serves one run, from one thread.
class Policy {
 public:
  virtual ~Policy() = default;

  virtual Needs needs() const { return {}; }

  /// A request was admitted: rank it.
  virtual void on_arrive(const RequestView& request, const PolicyContext& context,
                         Ranking& ranking) = 0;

  /// It ran for `ran`, in one iteration or, within what `steady` allowed, in several in a row, and
  /// has not finished. Where the policy is indifferent, `ran` sums up what it was not told of.
  virtual void on_progress(const RequestView&, Duration /*ran*/, const PolicyContext&, Ranking&) {}

  /// How much service `request` can get before `on_progress` has any effect. What it gets until
  /// then is told at once, at any instant before; this is asked anew after each telling. By default
  /// a policy is told after each iteration. It makes passes cheaper and changes nothing else.
  virtual Duration indifferent_for(const RequestView&) const { return Duration{0}; }

  /// How much more service than `indifferent_for` it can get until it may change places with
  /// another request, while nobody arrives and others do not change places either. Meanwhile
  /// `on_progress` is called within a macro-step, and after each call the policy must be
  /// indifferent for a while. By default a macro-step ends where the policy is no longer
  /// indifferent.
  virtual Duration unmoved_for(const RequestView&) const { return Duration{0}; }

  /// It lost its KV cache to another request.
  virtual void on_evict(const RequestView&, Eviction, const PolicyContext&, Ranking&) {}

  /// It left; its view is valid for the last time.
  virtual void on_end(const RequestView&, Departure, const PolicyContext&) {}

  /// Called once at each boundary before the arrivals: the place for keys that move with time.
  virtual void refresh(const PolicyContext&, Ranking&) {}

  /// When to call again although nothing happens; for a policy that holds back on purpose.
  virtual Time wake_at(const PolicyContext&) const { return kNever; }

  /// How long the ranking stands under mere progress of the batch, so that many iterations can be
  /// carried out at once (macro-steps). It must be true: results are the same bytes with and
  /// without it. By default a policy is asked after each iteration.
  virtual Steady steady(const Running&, const PolicyContext&) const { return {}; }

  /// When `request` is likely to run next (FastServe's estimated next scheduled time), for a policy
  /// that can say; without it, who ranks worse is expected later. Decides only whose KV is moved
  /// ahead of need.
  virtual std::optional<Time> next_scheduled(const RequestView&, const PolicyContext&) const {
    return std::nullopt;
  }

  /// Queue level of a live request, -1 where the policy has none.
  virtual int level(const RequestView&) const { return -1; }
};

/// A row of the catalogue.
struct PolicyEntry {
  const char* name;
  const char* summary;
  std::unique_ptr<Policy> (*make)(Parameters&);
};

}  // namespace tokenyard
