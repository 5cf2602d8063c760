#include "models/topology.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/dijkstra_shortest_paths.hpp>
#include <boost/graph/filtered_graph.hpp>
#include <boost/graph/reverse_graph.hpp>
#include <limits>
#include <map>

#include "models/spec_files.hpp"
#include "sim/kernel/input_error.hpp"
#include "sim/kernel/invariant.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

namespace {

enum class NodeKind : std::uint8_t { device, host, fabric };

struct Node {
  std::string name;
  NodeKind kind = NodeKind::fabric;
  std::size_t box = 0;
};

struct Link {
  std::size_t number = 0;
  double mebibyte_s = 0;  ///< what Dijkstra's algorithm adds up
};

using Nodes = boost::adjacency_list<boost::vecS, boost::vecS, boost::directedS, Node, Link>;
using Edge = boost::graph_traits<Nodes>::edge_descriptor;

/// Links that lead on from the devices but one are closed: a device passes nothing on for others.
struct OpenLinks {
  const Nodes* nodes = nullptr;
  std::size_t from = 0;

  bool operator()(const Edge& edge) const {
    const std::size_t source = boost::source(edge, *nodes);
    return source == from || (*nodes)[source].kind != NodeKind::device;
  }
};

/// By node, the number of the link by which it is reached; only of those reached.
using LastLinks = std::vector<std::uint32_t>;

constexpr double kMebibyte = 1 << 20;
constexpr double kUnreached = std::numeric_limits<double>::max();

/// The way from one node to all others.
struct Ways {
  std::vector<double> time_s;
  LastLinks last;
};

struct KeepLast : boost::dijkstra_visitor<> {
  explicit KeepLast(LastLinks& links) : last(links) {}
  template <typename Graph>
  void edge_relaxed(Edge edge, const Graph& graph) {
    last[boost::target(edge, graph)] = static_cast<std::uint32_t>(graph[edge].number);
  }
  LastLinks& last;
};

Ways ways_from(const Nodes& nodes, std::size_t from) {
  const std::size_t size = boost::num_vertices(nodes);
  Ways ways{std::vector<double>(size, kUnreached), LastLinks(size)};
  const boost::filtered_graph open(nodes, OpenLinks{&nodes, from});
  boost::dijkstra_shortest_paths(open, from,
                                 boost::weight_map(boost::get(&Link::mebibyte_s, open))
                                     .distance_map(ways.time_s.data())
                                     .vertex_index_map(boost::get(boost::vertex_index, open))
                                     .visitor(KeepLast(ways.last)));
  return ways;
}

NodeKind kind_of(const JsonObject& json) {
  const std::string kind = json.choice("kind", {"device", "host", "switch"});
  if (kind == "device") return NodeKind::device;
  return kind == "host" ? NodeKind::host : NodeKind::fabric;
}

}  // namespace

/// The paths are kept as trees, a number a node: written out they would be as long as the graph is
/// wide, for each pair of devices.
struct Topology::Graph {
  Nodes nodes;
  std::vector<double> bandwidths;              ///< by link
  std::vector<double> latencies;               ///< by link
  std::vector<std::size_t> begins;             ///< by link, the node it leads on from
  std::vector<LastLinks> from_device;          ///< by device
  std::vector<std::size_t> hosts;              ///< by device, the one that it reaches first
  std::map<std::size_t, LastLinks> from_host;  ///< by host

  LinkPath path(const LastLinks& last, std::size_t from, std::size_t to) const;

  std::map<std::string, std::size_t> read_nodes(const JsonObject& file);
  void read_links(const JsonObject& file, const std::map<std::string, std::size_t>& numbers);
};

std::map<std::string, std::size_t> Topology::Graph::read_nodes(const JsonObject& file) {
  constexpr std::size_t kMost = 2000;  // a way is kept from each device to each node
  std::map<std::string, std::size_t> numbers;
  for (const JsonObject& json : file.objects("nodes")) {
    if (numbers.size() == kMost) file.refuse("nodes", fmt::format("more than {}", kMost));
    Node node{json.string("name"), kind_of(json), 0};
    node.box = static_cast<std::size_t>(json.integer_or("box", 0, kMost, 0));
    json.refuse_unread();
    const std::string name = node.name;
    const bool fresh = numbers.emplace(name, boost::add_vertex(std::move(node), nodes)).second;
    if (!fresh) json.refuse("name", fmt::format("'{}' is there twice", printable(name)));
  }
  return numbers;
}

/// Each link of the file is two: one a direction, so that traffic one way does not hinder the
/// other.
void Topology::Graph::read_links(const JsonObject& file,
                                 const std::map<std::string, std::size_t>& numbers) {
  constexpr double kRateLeast = 1e3, kRateMost = 1e18;
  std::map<std::string, double> efficiencies;
  const JsonObject shares = file.object("efficiencies");
  for (const std::string& kind : shares.keys()) efficiencies[kind] = shares.number(kind, 0.001, 1);
  for (const JsonObject& json : file.objects("links")) {
    const auto end = [&](const char* key) {
      const auto found = numbers.find(json.string(key));
      if (found == numbers.end()) {
        json.refuse(key, fmt::format("there is no node '{}'", printable(json.string(key))));
      }
      return found->second;
    };
    const std::size_t a = end("from"), b = end("to");
    if (a == b) json.refuse("to", "a link joins two nodes");
    const std::string kind = json.string("kind");
    const auto efficiency = efficiencies.find(kind);
    if (efficiency == efficiencies.end()) {
      json.refuse("kind", fmt::format("'{}' is not among the efficiencies", printable(kind)));
    }
    Link link;
    const double latency_s = json.number("latency_s", 0, 1);
    const double bandwidth_bytes_per_s =
        json.number("bandwidth_bytes_per_s", kRateLeast, kRateMost) * efficiency->second;
    link.mebibyte_s = latency_s + kMebibyte / bandwidth_bytes_per_s;
    json.refuse_unread();
    for (const auto& [from, to] : {std::pair(a, b), std::pair(b, a)}) {
      link.number = bandwidths.size();
      bandwidths.push_back(bandwidth_bytes_per_s);
      latencies.push_back(latency_s);
      begins.push_back(from);
      boost::add_edge(from, to, link, nodes);
    }
  }
}

LinkPath Topology::Graph::path(const LastLinks& last, std::size_t from, std::size_t to) const {
  LinkPath path;
  for (std::size_t at = to; at != from; at = begins[last[at]]) {
    path.links.push_back(last[at]);
    path.latency_s += latencies[last[at]];
  }
  std::reverse(path.links.begin(), path.links.end());
  return path;
}

Topology::Topology(const JsonObject& file) : graph_(std::make_unique<Graph>()) {
  name_ = file.string("name");
  source_ = file.string("source");
  operation_s_ = file.number("operation_s", 0, 1);
  const auto numbers = graph_->read_nodes(file);
  graph_->read_links(file, numbers);
  file.refuse_unread();
  for (std::size_t node = 0; node < boost::num_vertices(graph_->nodes); ++node) {
    if (graph_->nodes[node].kind == NodeKind::device) devices_.push_back(node);
  }
  if (devices_.empty()) file.refuse("nodes", "there is no device among them");
  try {
    find_paths();
  } catch (const InputError& error) {
    file.refuse("links", error.what());
  }
}

Topology::~Topology() = default;
Topology::Topology(Topology&&) noexcept = default;
Topology& Topology::operator=(Topology&&) noexcept = default;

void Topology::find_paths() {
  const Nodes& nodes = graph_->nodes;
  for (const std::size_t from : devices_) {
    Ways ways = ways_from(nodes, from);
    std::size_t reached = 0;
    for (const std::size_t to : devices_) reached += ways.time_s[to] < kUnreached ? 1 : 0;
    for (const std::size_t to : devices_) {
      if (ways.time_s[to] < kUnreached) continue;
      throw InputError(fmt::format(
          "disconnected: no links lead from {} to {}; it reaches {} of the {} other devices",
          printable(nodes[from].name), printable(nodes[to].name), reached - 1,
          devices_.size() - 1));
    }
    std::size_t host = from;
    for (std::size_t node = 0; node < boost::num_vertices(nodes); ++node) {
      const bool nearer = host == from || ways.time_s[node] < ways.time_s[host];
      const bool reachable = ways.time_s[node] < kUnreached;
      if (nodes[node].kind == NodeKind::host && reachable && nearer) host = node;
    }
    if (host == from) {
      throw InputError(fmt::format("disconnected: no links lead from {} to a host",
                                   printable(nodes[from].name)));
    }
    graph_->from_device.push_back(std::move(ways.last));
    graph_->hosts.push_back(host);
    const bool is_known = graph_->from_host.contains(host);
    if (!is_known) graph_->from_host[host] = ways_from(nodes, host).last;
  }
}

std::size_t Topology::box(std::size_t device) const {
  return graph_->nodes[devices_.at(device)].box;
}

const std::string& Topology::device_name(std::size_t device) const {
  return graph_->nodes[devices_.at(device)].name;
}

LinkPath Topology::path(std::size_t from, std::size_t to) const {
  return graph_->path(graph_->from_device.at(from), devices_.at(from), devices_.at(to));
}

LinkPath Topology::to_host(std::size_t device) const {
  return graph_->path(graph_->from_device.at(device), devices_.at(device),
                      graph_->hosts.at(device));
}

LinkPath Topology::from_host(std::size_t device) const {
  const std::size_t host = graph_->hosts.at(device);
  return graph_->path(graph_->from_host.at(host), host, devices_.at(device));
}

SharedPaths Topology::together(std::span<const LinkPath> paths) const {
  SharedPaths shared{0, std::numeric_limits<double>::infinity()};
  std::vector<double> users(graph_->bandwidths.size(), 0);
  for (const LinkPath& path : paths) {
    shared.latency_s = std::max(shared.latency_s, path.latency_s);
    for (const std::size_t link : path.links) ++users[link];
  }
  for (std::size_t link = 0; link < users.size(); ++link) {
    if (users[link] == 0) continue;
    shared.bandwidth_bytes_per_s =
        std::min(shared.bandwidth_bytes_per_s, graph_->bandwidths[link] / users[link]);
  }
  return shared;
}

Topology load_topology(const std::filesystem::path& data, std::string_view name) {
  if (name.ends_with(".json")) return Topology(JsonFile::read(std::string(name)));
  return Topology(read_spec_file(data / "topologies", "topology", name));
}

std::vector<std::string> list_topologies(const std::filesystem::path& data) {
  return list_spec_names(data / "topologies");
}

}  // namespace tokenyard
