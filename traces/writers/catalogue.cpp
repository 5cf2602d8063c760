#include "traces/writers/catalogue.hpp"

#include <array>
#include <vector>

namespace tokenyard {

std::span<const WriterEntry> trace_writers() {
  static const std::array writers = {kCanonicalWriter, kFlatCsvWriter, kMooncakeWriter,
                                     kVidurWriter};
  return writers;
}

std::string lost_beyond_lengths(const Trace& trace, bool keeps_hashes) {
  bool labels = false, options = false, details = false, lists = false;
  for (std::size_t i = 0; i < trace.requests.size(); ++i) {
    labels |= trace.requests.label(i) != std::to_string(i);
    const TraceOptions* const given = trace.requests.options(i);
    if (given == nullptr) continue;
    TraceOptions rest = *given;
    details |= given->details.count > 0;
    lists |= given->outputs.count > 0 || given->prompt_token_ids.count > 0 ||
             (given->block_hashes.count > 0 && !keeps_hashes);
    rest.details = rest.outputs = rest.prompt_token_ids = rest.block_hashes = {};
    rest.session = 0;  // its name is among the details
    options |= rest != TraceOptions();
  }
  std::vector<std::string> lost;
  if (labels) lost.emplace_back("ids");
  if (trace.tenants.size() > 1 || !trace.tenants.front().empty()) lost.emplace_back("tenants");
  if (options) lost.emplace_back("options (max_tokens, priority, n and the like)");
  if (lists) lost.emplace_back("lists");
  if (details) lost.emplace_back("details");
  if (!trace.meta.empty() && !keeps_hashes) lost.emplace_back("the meta object");
  return fmt::format("{}", fmt::join(lost, ", "));
}

}  // namespace tokenyard
