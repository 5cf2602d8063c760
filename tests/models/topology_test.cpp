#include "models/topology.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include <filesystem>

#include "sim/kernel/input_error.hpp"

namespace tokenyard {
namespace {

using testing::HasSubstr;

const std::filesystem::path kData = std::filesystem::path(TOKENYARD_SOURCE_DIR) / "models";

Topology parse(const std::string& nodes, const std::string& links) {
  return Topology(JsonFile::parse(R"({"name":"t","source":"a test","operation_s":0,)"
                                  R"("efficiencies":{"wire":0.5,"bus":1},"nodes":[)" +
                                      nodes + R"(],"links":[)" + links + "]}",
                                  "t.json"));
}

std::string node(const char* name, const char* kind) {
  return std::string(R"({"name":")") + name + R"(","kind":")" + kind + R"("})";
}

std::string link(const char* from, const char* to, const char* kind, const char* bandwidth,
                 const char* latency) {
  return std::string(R"({"from":")") + from + R"(","to":")" + to + R"(","kind":")" + kind +
         R"(","bandwidth_bytes_per_s":)" + bandwidth + R"(,"latency_s":)" + latency + "}";
}

std::string refusal(const std::string& nodes, const std::string& links) {
  try {
    parse(nodes, links);
  } catch (const InputError& error) {
    return error.what();
  }
  return "(accepted)";
}

/// Three devices in a row on wires, all on one bus with the host.
Topology row_of_three() {
  return parse(node("d0", "device") + "," + node("d1", "device") + "," + node("d2", "device") +
                   "," + node("bus", "switch") + "," + node("host", "host"),
               link("d0", "d1", "wire", "100e9", "1e-6") + "," +
                   link("d1", "d2", "wire", "100e9", "1e-6") + "," +
                   link("d0", "bus", "bus", "10e9", "2e-6") + "," +
                   link("d1", "bus", "bus", "10e9", "2e-6") + "," +
                   link("d2", "bus", "bus", "10e9", "2e-6") + "," +
                   link("bus", "host", "bus", "10e9", "3e-6"));
}

// Would catch: a path that is not the fastest, that leads through a device, or whose latency or
// bandwidth is not that of its links; an efficiency that is left out.
TEST(Topology, MessagesTakeTheFastestPathThatLeadsThroughNoDevice) {
  const Topology row = row_of_three();
  ASSERT_EQ(row.devices(), 3U);
  const LinkPath wire = row.path(0, 1);
  EXPECT_EQ(wire.links.size(), 1U);
  EXPECT_DOUBLE_EQ(wire.latency_s, 1e-6);
  EXPECT_DOUBLE_EQ(row.together({&wire, 1}).bandwidth_bytes_per_s, 50e9);
  const LinkPath bus = row.path(0, 2);
  EXPECT_EQ(bus.links.size(), 2U) << "d1 is no switch, though its wires are faster";
  EXPECT_DOUBLE_EQ(bus.latency_s, 4e-6);
  EXPECT_TRUE(row.path(1, 1).links.empty());
}

// Would catch: paths that share a link and do not hinder one another, or do though they go opposite
// ways.
TEST(Topology, PathsThatShareALinkShareItsBandwidthEachWay) {
  const Topology row = row_of_three();
  const LinkPath out[] = {row.to_host(0), row.to_host(1), row.to_host(2)};
  EXPECT_DOUBLE_EQ(row.together(out).bandwidth_bytes_per_s, 10e9 / 3);
  EXPECT_DOUBLE_EQ(row.together(out).latency_s, 5e-6);
  const LinkPath both_ways[] = {row.to_host(0), row.from_host(1)};
  EXPECT_DOUBLE_EQ(row.together(both_ways).bandwidth_bytes_per_s, 10e9);
}

// Would catch: a graph in pieces that is priced all the same, or refused without saying where.
TEST(Topology, ADisconnectedOneIsRefusedWithWhatIsNotReached) {
  const std::string devices =
      node("d0", "device") + "," + node("d1", "device") + "," + node("d2", "device");
  EXPECT_THAT(
      refusal(devices + "," + node("host", "host"),
              link("d0", "host", "bus", "1e9", "0") + "," + link("d1", "host", "bus", "1e9", "0")),
      HasSubstr("/links: disconnected: no links lead from d0 to d2; it reaches 1 of the 2 "
                "other devices"));
  EXPECT_THAT(refusal(devices, link("d0", "d1", "bus", "1e9", "0")),
              HasSubstr("no links lead from d0 to d2"));
  EXPECT_THAT(refusal(node("d0", "device") + "," + node("host", "host"), ""),
              HasSubstr("no links lead from d0 to a host"));
}

// Would catch: a name of the file that reaches the terminal as it stands, or fills it.
TEST(Topology, NamesAreMadePrintableWhereTheyAreTold) {
  const std::string control = "a\\nb\\u001b[31m", endless(100'000, 'd');
  const std::string told = refusal(node(control.c_str(), "device") + "," +
                                       node(endless.c_str(), "device") + "," + node("host", "host"),
                                   link(control.c_str(), "host", "bus", "1e9", "0"));
  EXPECT_THAT(told, HasSubstr("disconnected"));
  EXPECT_EQ(std::count_if(told.begin(), told.end(), [](char c) { return c < ' '; }), 0) << told;
  EXPECT_LT(told.size(), 1000U);
}

// Would catch: slips in a file that become another machine.
TEST(Topology, BadFilesAreRefusedWithTheirPlace) {
  const std::string pair = node("d0", "device") + "," + node("host", "host");
  EXPECT_THAT(refusal(pair, link("d0", "hots", "bus", "1e9", "0")),
              HasSubstr("/links/0/to: there is no node 'hots'"));
  EXPECT_THAT(refusal(pair, link("d0", "host", "rope", "1e9", "0")),
              HasSubstr("/links/0/kind: 'rope' is not among the efficiencies"));
  EXPECT_THAT(refusal(pair, link("d0", "host", "bus", "0", "0")),
              HasSubstr("/links/0/bandwidth_bytes_per_s: expected a number from"));
  EXPECT_THAT(refusal(pair, link("d0", "host", "bus", "1e9", "-1")), HasSubstr("latency_s"));
  EXPECT_THAT(refusal(pair, link("d0", "d0", "bus", "1e9", "0")), HasSubstr("joins two nodes"));
  EXPECT_THAT(refusal(pair + "," + node("d0", "device"), ""), HasSubstr("'d0' is there twice"));
  EXPECT_THAT(refusal(node("host", "host"), ""), HasSubstr("no device"));
  EXPECT_THAT(refusal(node("d0", "gpu"), ""), HasSubstr("/nodes/0/kind"));
}

// Would catch: a data file that cannot be read, or one without its source.
TEST(Topology, AllNamedOnesAreWhole) {
  const std::vector<std::string> names = list_topologies(kData);
  EXPECT_THAT(names, testing::IsSupersetOf({"dgx-a100", "dgx-h100", "p4d.24xlarge", "single-card",
                                            "two-p4d.24xlarge"}));
  for (const std::string& name : names) {
    const Topology topology = load_topology(kData, name);
    EXPECT_EQ(topology.name(), name);
    EXPECT_GT(topology.source().size(), 50U) << name;
  }
  EXPECT_EQ(load_topology(kData, "two-p4d.24xlarge").devices(), 16U);
  EXPECT_THROW(load_topology(kData, "dgx-a1000"), InputError);
}

}  // namespace
}  // namespace tokenyard
