#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "experiments/statistics/distribution.hpp"
#include "sim/ports/observer.hpp"

namespace tokenyard {

/// What a summary tells of programs: requests that wait for one another or are of one session.
struct ProgramSummary {
  std::int64_t programs = 0;
  std::int64_t completed = 0;  ///< all of whose requests completed
  Distribution jct;            ///< of the completed, in seconds: last finish - first arrival
};

/// Gathers the requests of each program. Memory is 24 bytes a program of several requests that may
/// still go on, and 8 a completed one of a single request. One object serves one run, from the
/// loop's thread.
class ProgramTimes {
 public:
  /// Programs count that begin (whose first request arrives) at `from` or later, before `until`.
  ProgramTimes(Time from, Time until) : from_(from), until_(until) {}

  /// A request that has ended; in any order. Without a number it is a program by itself.
  void add(std::optional<std::uint32_t> program, const RequestFacts& facts);

  /// After the last request.
  ProgramSummary summary() const;

 private:
  struct Program {
    Time first_arrival = kNever;  ///< kNever: no request was added
    Time last_finish = kOrigin;
    bool completed = true;
  };

  bool counts(const Program& program) const {
    return program.first_arrival >= from_ && program.first_arrival < until_;
  }

  Time from_, until_;
  std::vector<Program> programs_;  ///< by number
  std::int64_t single_ = 0;        ///< programs by themselves that count
  std::vector<std::int64_t> single_jct_;
};

}  // namespace tokenyard
