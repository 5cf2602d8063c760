#include "traces/length_dataset.hpp"

#include "sim/kernel/input_error.hpp"
#include "traces/csv.hpp"
#include "traces/reader.hpp"
#include "traces/readers/catalogue.hpp"

namespace tokenyard {

namespace {

bool only_lengths(std::string_view header) {
  return header_has(header, {"num_prefill_tokens", "num_decode_tokens"}) &&
         !header_has(header, {"arrived_at"});
}

std::vector<Lengths> read_lengths_csv(LineReader& lines) {
  CsvReader csv(lines);
  const std::vector<std::string> known = {"num_prefill_tokens", "num_decode_tokens",
                                          "num_total_tokens", "pd_ratio"};
  csv.refuse_unknown(known);
  const std::size_t prefill = csv.require("num_prefill_tokens");
  const std::size_t decode = csv.require("num_decode_tokens");
  std::vector<Lengths> lengths;
  while (csv.next()) {
    const Lengths row{csv.integer(prefill, 0, kMostTokens), csv.integer(decode, 0, kMostTokens)};
    if (row.prompt > 0 && row.output > 0) lengths.push_back(row);
  }
  if (lengths.empty()) lines.refuse("", "the file has no row with two lengths above zero");
  return lengths;
}

}  // namespace

std::vector<Lengths> read_lengths(const std::string& path) {
  {
    LineReader lines(path);
    const auto header = lines.peek();
    if (!header) throw InputError(path, 0, "", "the file is empty");
    if (only_lengths(*header)) return read_lengths_csv(lines);
  }
  std::vector<Lengths> lengths;
  const Trace trace = read_trace(path);
  lengths.reserve(trace.requests.size());
  for (std::size_t i = 0; i < trace.requests.size(); ++i) {
    lengths.push_back({trace.requests.input_tokens(i), trace.requests.output_tokens(i)});
  }
  return lengths;
}

}  // namespace tokenyard
