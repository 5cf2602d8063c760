// What the fuzzer found, and seeds of each format, through every reader: no fuzzer is needed.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "tests/fuzz/reader_target.hpp"
#include "tests/support/files.hpp"

namespace tokenyard {
namespace {

std::vector<std::filesystem::path> finds() {
  std::vector<std::filesystem::path> paths;
  const std::filesystem::path folder = TOKENYARD_SOURCE_DIR "/tests/fuzz/finds";
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

// Would catch: a crash, a hang or a disagreement of the fast and the strict parser on input that
// made one before, also where another reader is asked to read it.
TEST(FuzzFinds, AreReadOrRefusedByEveryReader) {
  std::vector<std::string> formats = {"", "csv:arrival=t,unit=s,input_tokens=in,output_tokens=out"};
  for (const auto& reader : trace_readers()) formats.emplace_back(reader.name);
  const auto paths = finds();
  ASSERT_GE(paths.size(), formats.size());
  for (const auto& path : paths) {
    SCOPED_TRACE(path.string());
    for (const std::string& format : formats) {
      test::read_any_bytes(format, test::file_content(path));
    }
  }
}

}  // namespace
}  // namespace tokenyard
