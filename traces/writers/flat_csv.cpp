// The canonical fields as a flat CSV, with those optional columns that some request needs.

#include <fmt/format.h>

#include <iterator>
#include <set>
#include <vector>

#include "sim/kernel/strict_json.hpp"
#include "sim/kernel/text.hpp"
#include "traces/readers/catalogue.hpp"
#include "traces/writers/catalogue.hpp"

namespace tokenyard {

namespace {

JsonObject details_of(const Trace& trace, const TraceRequest& request) {
  const std::span<const char> details = trace.details.at(request.details);
  return JsonFile::parse("{" + std::string(details.begin(), details.end()) + "}", "details");
}

/// The optional columns that some request needs.
struct Columns {
  bool max_tokens = false, predicted = false, priority = false, tenant = false, cancel = false;
  bool n = false, best_of = false, beam_width = false;
  std::vector<std::string> details;  ///< in the order of `detail_fields`

  explicit Columns(const Trace& trace) {
    for (const auto& request : trace.requests) {
      max_tokens |= request.max_tokens.has_value();
      predicted |= request.predicted_output_tokens.has_value();
      priority |= request.priority != 0;
      tenant |= !trace.tenants[index(request.tenant)].empty();
      cancel |= request.cancel_after.has_value();
      n |= request.n != 1;
      best_of |= request.best_of.has_value();
      beam_width |= request.beam_width.has_value();
    }
    add_details(trace);
  }

  std::string header() const {
    std::string text = "id,arrival_ns,input_tokens,output_tokens";
    if (max_tokens) text += ",max_tokens";
    if (predicted) text += ",predicted_output_tokens";
    if (priority) text += ",priority";
    if (tenant) text += ",tenant";
    if (cancel) text += ",cancel_after_ns";
    if (n) text += ",n";
    if (best_of) text += ",best_of";
    if (beam_width) text += ",beam_width";
    for (const std::string& name : details) text += "," + name;
    return text + '\n';
  }

 private:
  void add_details(const Trace& trace) {
    std::set<std::string> used;
    for (const auto& request : trace.requests) {
      if (request.details.count == 0) continue;
      for (const std::string& name : details_of(trace, request).keys()) used.insert(name);
    }
    for (const std::string& name : detail_fields()) {
      if (used.contains(name)) details.push_back(name);
    }
  }
};

void append_csv(const Trace& trace, const TraceRequest& request, const Columns& columns,
                fmt::memory_buffer& out) {
  const auto to = std::back_inserter(out);
  const auto optional = [&to](const auto& value) {
    fmt::format_to(to, ",");
    if (value) fmt::format_to(to, "{}", *value);
  };
  fmt::format_to(to, "{},{},{},{}", csv_field(request.label), nanoseconds(request.arrival),
                 request.input_tokens, request.output_tokens);
  if (columns.max_tokens) optional(request.max_tokens);
  if (columns.predicted) optional(request.predicted_output_tokens);
  if (columns.priority) fmt::format_to(to, ",{}", request.priority);
  if (columns.tenant) {
    fmt::format_to(to, ",{}", csv_field(trace.tenants[index(request.tenant)]));
  }
  if (columns.cancel) {
    optional(request.cancel_after ? std::optional(request.cancel_after->count()) : std::nullopt);
  }
  if (columns.n) fmt::format_to(to, ",{}", request.n);
  if (columns.best_of) optional(request.best_of);
  if (columns.beam_width) optional(request.beam_width);
  if (!columns.details.empty()) {
    const JsonObject details = details_of(trace, request);
    for (const std::string& name : columns.details) {
      const bool object = name == "slo" || name == "ext";
      const std::string text = !details.has(name) ? ""
                               : object           ? details.raw(name)
                                                  : details.scalar_text(name);
      fmt::format_to(to, ",{}", csv_field(text));
    }
  }
  fmt::format_to(to, "\n");
}

class FlatCsvRows final : public RowWriter {
 public:
  explicit FlatCsvRows(const Trace& trace) : trace_(trace), columns_(trace) {}

  void begin(fmt::memory_buffer& out) const override {
    fmt::format_to(std::back_inserter(out), "{}", columns_.header());
  }
  void row(const TraceRequest& request, fmt::memory_buffer& out) override {
    append_csv(trace_, request, columns_, out);
  }

 private:
  const Trace& trace_;
  const Columns columns_;
};

std::string fault(const Trace& trace) {
  const bool lists = !trace.outputs.empty() || !trace.block_hashes.empty() ||
                     !trace.prompt_token_ids.empty() || !trace.parents.empty();
  if (!lists) return "";
  return "a CSV cannot hold this trace's lists (output_tokens of several sequences, parents, "
         "block_hashes or prompt_token_ids); write .jsonl or .jsonl.gz";
}

std::string lost(const Trace& trace) {
  return trace.meta.empty() ? "" : "the meta object";
}

}  // namespace

const WriterEntry kFlatCsvWriter = {"csv", "CSV with the canonical names", ".csv", fault,
                                    lost,  open_rows<FlatCsvRows>};

}  // namespace tokenyard
