#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/kernel/rng.hpp"
#include "sim/kernel/time.hpp"
#include "traces/generator_spec.hpp"
#include "traces/lengths.hpp"

namespace tokenyard {

/// One arrival. What a process does not know of is left as it is.
struct DrawnArrival {
  Time at = kOrigin;  ///< never before the one drawn earlier; `kNever`: after more than `kLongest`
  std::optional<Lengths> lengths;  ///< of the request's own client
  std::string_view tenant;         ///< lives as long as the stream
  // Of a closed loop, where `at` says nothing:
  std::optional<std::uint64_t> after;  ///< the request whose end it waits for; else the origin
  double think_s = 0;                  ///< what passes from then on
  /// Not empty: the client has no lengths, and why. Lives as long as the stream.
  std::string_view without_lengths;
};

/// The arrivals of one seed, one after another. Refers to its process, which must outlive it.
class ArrivalStream {
 public:
  virtual ~ArrivalStream() = default;

  /// False where there are no more: most processes never end.
  virtual bool next(DrawnArrival& arrival) = 0;
};

/// When requests come. Immutable; safe to share between threads.
class ArrivalProcess {
 public:
  virtual ~ArrivalProcess() = default;

  virtual std::unique_ptr<ArrivalStream> begin(std::uint64_t seed) const = 0;

  /// Whether the arrivals come with lengths and a tenant.
  virtual bool draws_lengths() const { return false; }

  /// Whether requests wait for others' ends, so that their times are known in a run alone.
  virtual bool is_closed() const { return false; }
};

/// What a gap may depend on, beside its own random numbers.
struct ArrivalState {
  double now_s = 0;                  ///< the arrival before; the origin, for the first gap
  std::optional<std::size_t> phase;  ///< of a modulated process; nothing before the first gap
};

/// A process that is drawn gap by gap, each rounded to whole nanoseconds. The random numbers of a
/// gap come from the stream "arrivals" keyed by the request, so that a longer trace begins with the
/// shorter one.
class GapProcess : public ArrivalProcess {
 public:
  std::unique_ptr<ArrivalStream> begin(std::uint64_t seed) const final;

  /// The gap before the next request in seconds, >= 0 (infinity: it never comes). The first one is
  /// counted from the origin.
  virtual double gap_s(Rng& rng, ArrivalState& state) const = 0;
};

/// "poisson:rate=4" and so on, see `list_arrivals`. Throws `InputError`.
std::unique_ptr<ArrivalProcess> make_arrivals(std::string_view spec);

std::vector<GeneratorHelp> list_arrivals();

}  // namespace tokenyard
