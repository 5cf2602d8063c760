#include "traces/writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <span>

#include "sim/kernel/input_error.hpp"
#include "sim/kernel/text.hpp"
#include "traces/output_file.hpp"

namespace tokenyard {

namespace {

constexpr std::size_t kChunk = std::size_t{64} << 10;

enum class Form { jsonl, csv, unknown };

Form form_of(std::string_view path) {
  if (path.ends_with(".gz")) path.remove_suffix(3);
  if (path.ends_with(".jsonl")) return Form::jsonl;
  if (path.ends_with(".csv")) return Form::csv;
  return Form::unknown;
}

std::int64_t nanoseconds(Time time) {
  return (time - kOrigin).count();
}

template <typename Value>
void append_list(const char* key, std::span<const Value> list, fmt::memory_buffer& out) {
  fmt::format_to(std::back_inserter(out), R"(,"{}":[{}])", key, fmt::join(list, ","));
}

void append_json(const Trace& trace, const TraceRequest& request, fmt::memory_buffer& out) {
  const auto to = std::back_inserter(out);
  fmt::format_to(to, R"({{"id":{},"arrival_ns":{},"input_tokens":{})", json_text(request.label),
                 nanoseconds(request.arrival), request.input_tokens);
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
  fmt::format_to(to, "}}\n");
}

/// The optional columns that some request needs.
struct Columns {
  bool max_tokens = false, predicted = false, priority = false, tenant = false, cancel = false;
  bool n = false, best_of = false, beam_width = false;

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
    return text + '\n';
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
  fmt::format_to(to, "\n");
}

}  // namespace

void check_trace_ending(const std::string& path) {
  if (form_of(path) == Form::unknown) {
    throw InputError(path, 0, "", "a trace is written as .jsonl, .jsonl.gz, .csv or .csv.gz");
  }
}

void write_trace(const Trace& trace, const std::string& path) {
  check_trace_ending(path);
  const Form form = form_of(path);
  const bool lists =
      !trace.outputs.empty() || !trace.block_hashes.empty() || !trace.prompt_token_ids.empty();
  if (form == Form::csv && lists) {
    throw InputError(path, 0, "",
                     "a CSV cannot hold this trace's lists (output_tokens of several sequences, "
                     "block_hashes or prompt_token_ids); write .jsonl or .jsonl.gz");
  }
  const Columns columns(trace);
  OutputFile file(path);
  fmt::memory_buffer out;
  const auto flush = [&file, &out] {
    file.write(std::string_view(out.data(), out.size()));
    out.clear();
  };
  if (form == Form::csv) {
    fmt::format_to(std::back_inserter(out), "{}", columns.header());
  } else if (!trace.meta.empty()) {
    fmt::format_to(std::back_inserter(out), "{{\"meta\":{}}}\n", trace.meta);
  }
  for (const auto& request : trace.requests) {
    if (form == Form::csv) {
      append_csv(trace, request, columns, out);
    } else {
      append_json(trace, request, out);
    }
    if (out.size() >= kChunk) flush();
  }
  flush();
  file.commit();
}

std::string json_text(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      quoted += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

}  // namespace tokenyard
