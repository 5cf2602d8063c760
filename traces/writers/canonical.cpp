// Tokenyard's own form: JSON Lines, the meta object first.

#include <fmt/format.h>

#include <iterator>
#include <vector>

#include "traces/writer.hpp"
#include "traces/writers/catalogue.hpp"

namespace tokenyard {

namespace {

template <typename Value>
void append_list(const char* key, std::span<const Value> list, fmt::memory_buffer& out) {
  fmt::format_to(std::back_inserter(out), R"(,"{}":[{}])", key, fmt::join(list, ","));
}

void append_json(const Trace& trace, const TraceRequest& request, fmt::memory_buffer& out) {
  const auto to = std::back_inserter(out);
  fmt::format_to(to, R"({{"id":{})", json_text(request.label));
  if (request.arrival_given) {
    fmt::format_to(to, R"(,"arrival_ns":{})", nanoseconds(request.arrival));
  }
  fmt::format_to(to, R"(,"input_tokens":{})", request.input_tokens);
  if (request.outputs.count > 0) {
    append_list("output_tokens", trace.outputs.at(request.outputs), out);
  } else {
    fmt::format_to(to, R"(,"output_tokens":{})", request.output_tokens);
  }
  if (request.max_tokens) fmt::format_to(to, R"(,"max_tokens":{})", *request.max_tokens);
  if (request.predicted_output_tokens) {
    fmt::format_to(to, R"(,"predicted_output_tokens":{})", *request.predicted_output_tokens);
  }
  if (request.priority != 0) fmt::format_to(to, R"(,"priority":{})", request.priority);
  const std::string& tenant = trace.tenants[index(request.tenant)];
  if (!tenant.empty()) fmt::format_to(to, R"(,"tenant":{})", json_text(tenant));
  if (request.cancel_after) {
    fmt::format_to(to, R"(,"cancel_after_ns":{})", request.cancel_after->count());
  }
  if (request.n != 1) fmt::format_to(to, R"(,"n":{})", request.n);
  if (request.best_of) fmt::format_to(to, R"(,"best_of":{})", *request.best_of);
  if (request.beam_width) fmt::format_to(to, R"(,"beam_width":{})", *request.beam_width);
  if (request.block_hashes.count > 0) {
    append_list("block_hashes", trace.block_hashes.at(request.block_hashes), out);
  }
  if (request.prompt_token_ids.count > 0) {
    append_list("prompt_token_ids", trace.prompt_token_ids.at(request.prompt_token_ids), out);
  }
  if (request.parents.count > 0) {
    std::vector<std::string> labels;
    for (const std::uint32_t parent : trace.parents.at(request.parents)) {
      labels.push_back(json_text(trace.requests.label(parent)));
    }
    fmt::format_to(to, R"(,"parents":[{}])", fmt::join(labels, ","));
    if (request.delay > Duration(0)) fmt::format_to(to, R"(,"delay_ns":{})", request.delay.count());
  }
  if (request.details.count > 0) {
    const std::span<const char> details = trace.details.at(request.details);
    fmt::format_to(to, ",{}", std::string_view(details.data(), details.size()));
  }
  fmt::format_to(to, "}}\n");
}

class CanonicalRows final : public RowWriter {
 public:
  explicit CanonicalRows(const Trace& trace) : trace_(trace) {}

  void begin(fmt::memory_buffer& out) const override {
    if (!trace_.meta.empty()) {
      fmt::format_to(std::back_inserter(out), "{{\"meta\":{}}}\n", trace_.meta);
    }
  }
  void row(const TraceRequest& request, fmt::memory_buffer& out) override {
    append_json(trace_, request, out);
  }

 private:
  const Trace& trace_;
};

std::string nothing(const Trace&) {
  return "";
}

}  // namespace

const WriterEntry kCanonicalWriter = {"tokenyard", "JSON Lines, Tokenyard's own form",
                                      ".jsonl",    nothing,
                                      nothing,     open_rows<CanonicalRows>};

}  // namespace tokenyard
