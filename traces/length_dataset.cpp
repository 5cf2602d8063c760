#include "traces/length_dataset.hpp"

#include "traces/reader.hpp"

namespace tokenyard {

std::vector<Lengths> read_lengths(const std::string& path) {
  ReadOptions options;
  options.lengths_only = true;
  const Trace trace = read_trace(path, options);
  std::vector<Lengths> lengths;
  lengths.reserve(trace.requests.size());
  for (std::size_t i = 0; i < trace.requests.size(); ++i) {
    lengths.push_back({trace.requests.input_tokens(i), trace.requests.output_tokens(i)});
  }
  return lengths;
}

}  // namespace tokenyard
