#include "traces/parents.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/connected_components.hpp>
#include <boost/graph/strong_components.hpp>
#include <boost/graph/topological_sort.hpp>
#include <iterator>
#include <numeric>
#include <string_view>
#include <unordered_map>

#include "sim/kernel/input_error.hpp"
#include "sim/kernel/invariant.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

namespace {

using Graph = boost::adjacency_list<boost::vecS, boost::vecS, boost::directedS>;

const TraceOptions* waiting(const Trace& trace, std::size_t request) {
  const TraceOptions* const options = trace.requests.options(request);
  return options != nullptr && options->parents.count > 0 ? options : nullptr;
}

std::span<const std::uint32_t> parents_of(const Trace& trace, std::size_t request) {
  const TraceOptions* const options = waiting(trace, request);
  return options != nullptr ? trace.parents.at(options->parents) : std::span<const std::uint32_t>();
}

/// Fills the pool and the graph; labels that are no request are refused.
Graph resolve(Trace& trace, std::span<const WaitingRow> rows, const std::string& path) {
  RequestTable& requests = trace.requests;
  std::unordered_map<std::string, std::uint32_t> position_of;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    position_of.emplace(requests.label(i), static_cast<std::uint32_t>(i));
  }
  Graph graph(requests.size());
  for (const WaitingRow& row : rows) {
    std::vector<std::uint32_t> positions;
    for (const std::string& label : row.parents) {
      const auto found = position_of.find(label);
      if (found == position_of.end()) {
        throw InputError(path, row.line, "parents",
                         fmt::format("'{}' is no request of the trace (rows that were dropped are "
                                     "none: see --zero)",
                                     printable(label)));
      }
      positions.push_back(found->second);
      add_edge(found->second, row.request, graph);
    }
    std::ranges::sort(positions);
    if (const auto twice = std::ranges::adjacent_find(positions); twice != positions.end()) {
      throw InputError(path, row.line, "parents",
                       fmt::format("'{}' is named twice", printable(requests.label(*twice))));
    }
    TraceRequest request = requests[row.request];
    request.parents = trace.parents.add(positions);
    requests.set(row.request, request);
  }
  return graph;
}

/// Names two requests that wait for each other.
[[noreturn]] void refuse_cycle(const Trace& trace, const Graph& graph,
                               std::span<const WaitingRow> rows, const std::string& path) {
  std::vector<std::size_t> component(num_vertices(graph));
  boost::strong_components(graph, component.data());
  for (const WaitingRow& row : rows) {
    for (const std::uint32_t parent : parents_of(trace, row.request)) {
      if (component[parent] != component[row.request]) continue;
      throw InputError(path, row.line, "parents",
                       fmt::format("'{}' waits for '{}', which waits for it in turn",
                                   printable(trace.requests.label(row.request)),
                                   printable(trace.requests.label(parent))));
    }
  }
  break_invariant("a graph without order has a cycle", path);
}

/// Steps from a root: more than any parent's, which must be known.
std::uint32_t steps_to(const Trace& trace, std::size_t request,
                       std::span<const std::uint32_t> steps) {
  std::uint32_t most = 0;
  for (const std::uint32_t parent : parents_of(trace, request)) {
    most = std::max(most, steps[parent] + 1);
  }
  return most;
}

Time latest_parent(const Trace& trace, const TraceOptions& options) {
  Time latest = kOrigin;
  for (const std::uint32_t parent : trace.parents.at(options.parents)) {
    latest = std::max(latest, trace.requests.arrival(parent));
  }
  return latest;
}

/// Sorts by arrival and then by the steps, and renumbers the parents.
void sort_by(Trace& trace, std::span<const std::uint32_t> steps) {
  const std::vector<std::uint32_t> before = trace.requests.sort(steps);
  std::vector<std::uint32_t> now(before.size());
  for (std::uint32_t i = 0; i < before.size(); ++i) now[before[i]] = i;
  for (const TraceOptions& options : trace.requests.all_options()) {
    const std::span<std::uint32_t> parents = trace.parents.at(options.parents);
    for (std::uint32_t& parent : parents) parent = now[parent];
    std::ranges::sort(parents);
  }
}

}  // namespace

void link_parents(Trace& trace, std::span<const WaitingRow> rows, const std::string& path) {
  const Graph graph = resolve(trace, rows, path);
  std::vector<std::size_t> children_first;
  try {
    boost::topological_sort(graph, std::back_inserter(children_first));
  } catch (const boost::not_a_dag&) {
    refuse_cycle(trace, graph, rows, path);
  }
  std::unordered_map<std::size_t, std::size_t> line_of;
  for (const WaitingRow& row : rows) line_of[row.request] = row.line;
  RequestTable& requests = trace.requests;
  std::vector<std::uint32_t> steps(requests.size(), 0);
  for (auto at = children_first.rbegin(); at != children_first.rend(); ++at) {
    const TraceOptions* const options = waiting(trace, *at);
    if (options == nullptr) continue;
    steps[*at] = steps_to(trace, *at, steps);
    const Time latest = latest_parent(trace, *options);
    if (options->arrival_given && requests.arrival(*at) < latest) {
      throw InputError(path, line_of[*at], "arrival_ns",
                       "is before a parent's (it may be left out where parents are given)");
    }
    if (options->arrival_given) continue;
    if (kLongest - (latest - kOrigin) < options->delay) {
      throw InputError(path, line_of[*at], "delay_ns", "the trace is longer than 100 years");
    }
    requests.set_arrival(*at, latest + options->delay);
  }
  sort_by(trace, steps);
}

void sort_requests(Trace& trace) {
  if (trace.parents.empty()) {
    trace.requests.sort();
    return;
  }
  std::vector<std::uint32_t> steps(trace.requests.size(), 0);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const TraceOptions* const options = waiting(trace, i);
    if (options == nullptr) continue;
    steps[i] = steps_to(trace, i, steps);
    if (!options->arrival_given)
      trace.requests.set_arrival(i, latest_parent(trace, *options) + options->delay);
  }
  sort_by(trace, steps);
}

ChildLists::ChildLists(const Trace& trace) : first(trace.requests.size() + 1, 0) {
  const std::size_t requests = trace.requests.size();
  for (std::size_t i = 0; i < requests; ++i) {
    for (const std::uint32_t parent : parents_of(trace, i)) ++first[parent + 1];
  }
  std::partial_sum(first.begin(), first.end(), first.begin());
  children.resize(first.back());
  std::vector<std::size_t> next(first.begin(), first.end() - 1);
  for (std::size_t i = 0; i < requests; ++i) {
    for (const std::uint32_t parent : parents_of(trace, i)) {
      children[next[parent]++] = static_cast<std::uint32_t>(i);
    }
  }
}

std::vector<std::uint32_t> programs_of(const Trace& trace) {
  using Links = boost::adjacency_list<boost::vecS, boost::vecS, boost::undirectedS>;
  Links links(trace.requests.size());
  std::vector<std::size_t> last_of_session;
  for (std::size_t i = 0; i < trace.requests.size(); ++i) {
    for (const std::uint32_t parent : parents_of(trace, i)) add_edge(parent, i, links);
    const TraceOptions* const options = trace.requests.options(i);
    const std::size_t session = options != nullptr ? options->session : 0;
    if (session == 0) continue;
    if (session < last_of_session.size()) {
      add_edge(last_of_session[session], i, links);
      last_of_session[session] = i;
    } else {
      last_of_session.resize(session + 1, i);  // numbered by their first requests
    }
  }
  std::vector<std::uint32_t> programs(trace.requests.size());
  boost::connected_components(links, programs.data());  // numbered by their first vertices
  return programs;
}

std::vector<CriticalPath> critical_paths(const Trace& trace) {
  const std::vector<std::uint32_t> programs = programs_of(trace);
  std::vector<CriticalPath> to(programs.size()), longest;
  for (std::size_t i = 0; i < programs.size(); ++i) {
    for (const std::uint32_t parent : parents_of(trace, i)) {
      if (to[parent].output_tokens > to[i].output_tokens) to[i] = to[parent];
    }
    if (const TraceOptions* const options = waiting(trace, i)) to[i].delay += options->delay;
    to[i].requests += 1;
    to[i].output_tokens += trace.requests.output_tokens(i);
    if (programs[i] == longest.size()) longest.emplace_back();
    CriticalPath& best = longest[programs[i]];
    if (to[i].output_tokens > best.output_tokens) best = to[i];
  }
  return longest;
}

}  // namespace tokenyard
