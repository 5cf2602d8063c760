#include "traces/readers/catalogue.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "sim/kernel/text.hpp"

namespace tokenyard {

std::span<const ReaderEntry> trace_readers() {
  static const std::array readers = {
      kCanonicalReader, kFlatCsvReader, kAzureReader,    kVidurReader,    kBurstGptReader,
      kMooncakeReader,  kBailianReader, kTraceLabReader, kShareGptReader, kVllmBenchReader,
  };
  return readers;
}

const ReaderEntry* document_reader(std::string_view beginning) {
  constexpr std::size_t kEnough = std::size_t{64} << 10;
  const auto blanks = std::min(beginning.find_first_not_of(" \t\r\n"), beginning.size());
  beginning = beginning.substr(blanks, kEnough);
  for (const auto& reader : trace_readers()) {
    if (reader.by == ReaderEntry::By::beginning && reader.recognises(beginning)) return &reader;
  }
  return nullptr;
}

bool header_has(std::string_view header, std::initializer_list<std::string_view> columns) {
  const auto present = split(header, ',');
  return std::all_of(columns.begin(), columns.end(), [&](std::string_view column) {
    return std::find(present.begin(), present.end(), column) != present.end();
  });
}

std::span<const std::string> detail_fields() {
  static const std::vector<std::string> fields = {"session_id",  "turn",   "model",  "slo",
                                                  "deadline_ns", "status", "prompt", "ext"};
  return fields;
}

}  // namespace tokenyard
