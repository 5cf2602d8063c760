#pragma once

#include <cstdint>
#include <map>
#include <ostream>
#include <string>
#include <tuple>
#include <vector>

#include "experiments/record/text_buffer.hpp"
#include "sim/kernel/time.hpp"
#include "sim/ports/ids.hpp"

namespace tokenyard {

/// Puts the rows of several replicas into one order, by time and then by replica. Each replica
/// tells of its own in the order of time, but after a macro-step of what others have been told of
/// already: rows wait until nobody can come before them. One object serves one file, from one
/// thread; `out` outlives it.
class ReplicaMerge {
 public:
  /// `name` stands for the file in messages.
  ReplicaMerge(std::ostream& out, std::string name, std::size_t replicas)
      : out_(out, std::move(name)), busy_since_(replicas, kNever) {}

  /// Written at once.
  void header(std::string_view text) { out_.text(text); }
  /// The replica has begun something at `at`: no row of its own comes before that.
  void busy_at(ReplicaId replica, Time at);
  /// It has nothing under way.
  void idle(ReplicaId replica);
  /// A row with its end of line.
  void add(Time at, ReplicaId replica, std::string row);

  /// Hands everything to the stream; to be called once. Throws `InputError` when that fails.
  void finish();

 private:
  void write_before(Time at);

  TextBuffer out_;
  std::vector<Time> busy_since_;  ///< by replica; kNever: it is idle
  Time latest_ = kOrigin;         ///< of all that was told
  std::map<std::tuple<Time, ReplicaId, std::uint64_t>, std::string> rows_;
  std::uint64_t added_ = 0;
};

}  // namespace tokenyard
