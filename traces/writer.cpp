#include "traces/writer.hpp"

#include <fmt/format.h>

#include <vector>

#include "sim/kernel/input_error.hpp"
#include "sim/kernel/text.hpp"
#include "traces/output_file.hpp"
#include "traces/writers/catalogue.hpp"

namespace tokenyard {

namespace {

constexpr std::size_t kChunk = std::size_t{64} << 10;

const WriterEntry& writer_for(const std::string& path, const std::string& form) {
  std::vector<std::string> names;
  for (const WriterEntry& writer : trace_writers()) {
    if (form.empty() && without_compression(path).ends_with(writer.ending)) return writer;
    if (form == writer.name) return writer;
    names.emplace_back(writer.name);
  }
  if (form.empty()) {
    throw InputError(path, 0, "",
                     "a trace is written as .jsonl or .csv, optionally followed by .gz or .zst");
  }
  throw InputError(fmt::format("unknown trace form '{}'{}; known: {}", printable(form),
                               suggestion(form, names), fmt::join(names, ", ")));
}

}  // namespace

void check_trace_form(const std::string& path, const std::string& form) {
  writer_for(path, form);
}

std::string write_trace(const Trace& trace, const std::string& path, const std::string& form) {
  const WriterEntry& entry = writer_for(path, form);
  if (const std::string fault = entry.fault(trace); !fault.empty()) {
    throw InputError(path, 0, "", fault);
  }
  const std::unique_ptr<RowWriter> writer = entry.open(trace);
  OutputFile file(path);
  fmt::memory_buffer out;
  const auto flush = [&file, &out] {
    file.write(std::string_view(out.data(), out.size()));
    out.clear();
  };
  writer->begin(out);
  for (const auto& request : trace.requests) {
    writer->row(request, out);
    if (out.size() >= kChunk) flush();
  }
  flush();
  file.commit();
  return entry.lost(trace);
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
