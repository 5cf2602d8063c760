#pragma once
// Requests that wait for others: the edges of a directed graph without cycles, from parent to
// child.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "traces/trace.hpp"

namespace tokenyard {

/// A row whose request waits for others, before it is known which requests these are.
struct WaitingRow {
  std::size_t request = 0;  ///< position in the table
  std::size_t line = 0;     ///< for messages
  std::vector<std::string> parents;
};

/// Finds the parents by their labels, and sets the arrivals that were not given: the latest of the
/// parents' arrivals, and the delay. Refuses, with the line, a parent that is no request of the
/// trace, a request that waits for itself by any way round, and a given arrival before a parent's
/// (`InputError`). Sorts by arrival, parents before their children. `path` is for messages.
void link_parents(Trace& trace, std::span<const WaitingRow> rows, const std::string& path);

/// Sorts a table in which parents stand before their children by arrival, keeps them so, and sets
/// the arrivals that are not given anew.
void sort_requests(Trace& trace);

/// The requests in which each parent stands, one list after another: children of request i are
/// `children[first[i]]` … `children[first[i + 1] - 1]`, in ascending order.
struct ChildLists {
  std::vector<std::size_t> first;
  std::vector<std::uint32_t> children;

  explicit ChildLists(const Trace& trace);
  std::span<const std::uint32_t> of(std::size_t request) const {
    return std::span(children).subspan(first[request], first[request + 1] - first[request]);
  }
};

/// By request: the program that it belongs to. Requests that wait for one another or are of one
/// session, directly or indirectly, are one program; programs are numbered by their first requests.
std::vector<std::uint32_t> programs_of(const Trace& trace);

/// The way through a program on which the most output tokens lie, one after another: no schedule
/// finishes the program faster than this chain alone.
struct CriticalPath {
  std::int64_t requests = 0;
  std::int64_t output_tokens = 0;
  Duration delay{};  ///< what passes between them
};

/// By program.
std::vector<CriticalPath> critical_paths(const Trace& trace);

}  // namespace tokenyard
