#include "models/device_spec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>

#include "sim/kernel/input_error.hpp"
#include "tests/support/files.hpp"

namespace tokenyard {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::filesystem::path kData = std::filesystem::path(TOKENYARD_SOURCE_DIR) / "models";

std::string refusal(const std::function<void()>& action) {
  try {
    action();
  } catch (const InputError& error) {
    return error.what();
  }
  return "(accepted)";
}

// Would catch: a data file that does not read, states no source or reason, or is left out.
TEST(DeviceSpec, EveryFileReadsAndStatesItsSources) {
  const auto names = list_devices(kData);
  EXPECT_THAT(names, ElementsAre("a100-40g", "a100-40g-eager", "a100-40g-fused", "a100-80g", "a40",
                                 "h100-80g", "h200", "l4", "this-cpu"));
  for (const auto& name : names) {
    const DeviceSpec device = load_device_spec(kData, name);
    EXPECT_FALSE(device.source.empty()) << name;
    EXPECT_FALSE(device.efficiencies_source.empty()) << name;
    EXPECT_FALSE(device.overheads_source.empty()) << name;
  }
}

// Would catch: a figure off by a unit (GB against GiB, GB/s against GB), or two devices swapped.
TEST(DeviceSpec, FiguresAreTheDataSheets) {
  const DeviceSpec a100 = load_device_spec(kData, "a100-40g");
  EXPECT_EQ(a100.memory_bytes, std::int64_t{40} << 30);
  EXPECT_EQ(a100.memory_bandwidth_bytes_per_s, 1.555e12);
  EXPECT_EQ(a100.flops_per_s, 312e12);
  EXPECT_EQ(a100.link_bandwidth_bytes_per_s, 300e9);
  EXPECT_EQ(load_device_spec(kData, "a100-80g").memory_bandwidth_bytes_per_s, 2.039e12);
  EXPECT_EQ(load_device_spec(kData, "h100-80g").flops_per_s, 989e12);
  EXPECT_EQ(load_device_spec(kData, "h200").memory_bandwidth_bytes_per_s, 4.8e12);
  EXPECT_EQ(load_device_spec(kData, "this-cpu").link_bandwidth_bytes_per_s, 0);
}

// Would catch: the two A100s, which differ in memory alone, drifting apart in another figure.
TEST(DeviceSpec, BothA100sAreTheSameChip) {
  const DeviceSpec small = load_device_spec(kData, "a100-40g");
  const DeviceSpec large = load_device_spec(kData, "a100-80g");
  EXPECT_EQ(small.flops_per_s, large.flops_per_s);
  EXPECT_EQ(small.efficiencies.compute, large.efficiencies.compute);
  EXPECT_EQ(small.efficiencies.memory, large.efficiencies.memory);
  EXPECT_EQ(small.efficiencies_source, large.efficiencies_source);
  EXPECT_EQ(small.layer_overhead_s, large.layer_overhead_s);
}

// Would catch: an unknown device taken for another, or a slip without a hint.
TEST(DeviceSpec, UnknownNamesAreRefused) {
  EXPECT_EQ(refusal([] { load_device_spec(kData, "a100-40"); }),
            "unknown device 'a100-40' (did you mean 'a100-40g'?)");
}

// Would catch: a slip in a data file that is taken in silence: an efficiency above 1, a rate of 0,
// a misspelled or missing field.
TEST(DeviceSpec, FilesAreReadStrictly) {
  const test::TemporaryFolder folder;
  const std::filesystem::path data = folder.path();
  std::filesystem::create_directories(data / "devices");
  std::ifstream original(kData / "devices" / "l4.json");
  const std::string text{std::istreambuf_iterator<char>(original), {}};
  const auto refusal_with = [&](const std::string& from, const std::string& to) {
    std::string changed = text;
    const auto at = changed.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    changed.replace(at, from.size(), to);
    std::ofstream(data / "devices" / "l4.json") << changed;
    return refusal([&] { load_device_spec(data, "l4"); });
  };
  EXPECT_EQ(refusal_with("l4", "l4"), "(accepted)");
  EXPECT_THAT(refusal_with("\"compute\": 0.", "\"compute\": 1."),
              HasSubstr("/efficiencies/compute: expected a number from 0.001 to 1, found 1.6"));
  EXPECT_THAT(refusal_with("300000000000", "0"),
              HasSubstr("/memory_bandwidth_bytes_per_s: expected a number from 1000 to"));
  EXPECT_THAT(refusal_with("\"memory_bytes\": 25769803776", "\"memory_bytes\": \"24 GB\""),
              HasSubstr("l4.json:4: /memory_bytes: expected an integer"));
  EXPECT_THAT(refusal_with("\"attention\"", "\"atention\""),
              HasSubstr("/efficiencies/attention: "));
  EXPECT_THAT(refusal_with("\"source\"", "\"price\": 1, \"source\""),
              HasSubstr("/price: unknown key"));
}

}  // namespace
}  // namespace tokenyard
