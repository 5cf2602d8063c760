#include "traces/reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>
#include <vector>

#include "sim/kernel/input_error.hpp"
#include "sim/kernel/text.hpp"
#include "traces/output_file.hpp"
#include "traces/readers/catalogue.hpp"
#include "traces/transform.hpp"

namespace tokenyard {

namespace {

/// The parts of `name:key=value,key=value`.
struct FormatSpec {
  explicit FormatSpec(std::string_view text)
      : name(text.substr(0, text.find(':'))),
        settings(text.substr(std::min(text.size(), name.size() + 1))) {}

  std::string_view name, settings;
};

const ReaderEntry& reader_named(std::string_view name) {
  std::vector<std::string> names;
  for (const auto& reader : trace_readers()) {
    if (name == reader.name) return reader;
    names.emplace_back(reader.name);
  }
  throw InputError(fmt::format("unknown trace format '{}'{}; known: {}", printable(name),
                               suggestion(name, names), fmt::join(names, ", ")));
}

bool holds_client_records(const std::string& folder) {
  std::error_code error;
  const std::filesystem::directory_iterator files(folder, error);
  return std::ranges::any_of(files, [](const auto& file) {
    return file.path().filename().string().ends_with("-trace.csv");
  });
}

/// Client records of ServeGen say how requests come and hold none themselves.
void refuse_client_records(const std::string& path, std::string_view format) {
  const bool is_archive = without_compression(path).ends_with(".tar");
  const bool recognised = format.empty() && (is_archive || holds_client_records(path));
  if (format != "servegen" && !recognised) return;
  throw InputError(fmt::format(
      "{}: holds no requests; from ServeGen's client records they are drawn, by the workload plan "
      R"('{{"duration":60,"arrivals":"servegen:folder={}"}}' in place of the trace)",
      printable(path), printable(path)));
}

/// The path; refuses an unknown format before the file is opened.
const std::string& checked_path(const std::string& path, const ReadOptions& options) {
  const FormatSpec format(options.format);
  refuse_client_records(path, format.name);
  if (!options.format.empty()) reader_named(format.name);
  return path;
}

const ReaderEntry& reader_for(LineReader& lines) {
  if (const ReaderEntry* document = document_reader(lines.window())) return *document;
  const auto first_line = lines.peek();
  if (!first_line) throw InputError(lines.path(), 0, "", "the file is empty");
  for (const auto& reader : trace_readers()) {
    if (reader.by == ReaderEntry::By::first_line && reader.recognises(*first_line)) return reader;
  }
  std::string known;
  for (const auto& reader : trace_readers()) {
    known += fmt::format("{}{} ({})", known.empty() ? "" : ", ", reader.name, reader.summary);
  }
  lines.refuse("", fmt::format("the first line '{}' is of no known trace format; known: {}",
                               printable(*first_line), known));
}

TraceBuilder::Ids ids_of(const ReadOptions& options) {
  return options.trust_ids ? TraceBuilder::Ids::trusted : TraceBuilder::Ids::checked;
}

}  // namespace

TraceRows::TraceRows(const std::string& path, const ReadOptions& options,
                     std::optional<TraceBuilder::Ids> ids)
    : TraceRows(LineReader(checked_path(path, options)), options, ids) {}

TraceRows::TraceRows(LineReader lines, const ReadOptions& options,
                     std::optional<TraceBuilder::Ids> ids)
    : lines_(std::move(lines)), builder_(lines_, options.zero, ids.value_or(ids_of(options))) {
  const FormatSpec spec(options.format);
  if (lines_.beginning().empty()) throw InputError(lines_.path(), 0, "", "the file is empty");
  const ReaderEntry& format = spec.name.empty() ? reader_for(lines_) : reader_named(spec.name);
  Parameters parameters =
      Parameters::parse(fmt::format("trace format {}", format.name), spec.settings);
  reader_ = format.open(lines_, options, parameters);
  parameters.refuse_unread();
}

bool TraceRows::next(TraceRow& row) {
  row = TraceRow();
  if (!reader_->next(row)) return false;
  if (read_ == 0) builder_.set_meta(reader_->meta());
  row.number = read_++;
  return true;
}

bool TraceRows::add_next() {
  TraceRow row;
  if (!next(row)) return false;
  builder_.add(row);
  return true;
}

TraceBuilder TraceRows::trusting_builder(ZeroTokens zero) const {
  TraceBuilder builder(lines_, zero, TraceBuilder::Ids::known);
  builder.set_meta(reader_->meta());
  return builder;
}

std::int64_t TraceRows::origin_ns() const {
  return reader_->origin() == TraceOrigin::earliest_row ? builder_.earliest_ns() : 0;
}

namespace {

Trace read_all(TraceRows& rows, const ReadOptions& options) {
  while (rows.add_next()) {
  }
  Trace trace = rows.builder().finish(rows.origin_ns());
  trace.name = trace_name(rows.path());
  if (options.limit) limit(trace, *options.limit);
  return trace;
}

}  // namespace

Trace read_trace(const std::string& path, const ReadOptions& options) {
  TraceRows rows(path, options);
  return read_all(rows, options);
}

Trace read_trace_text(const std::string& name, std::string text, const ReadOptions& options) {
  TraceRows rows(LineReader(name, std::move(text)), options);
  return read_all(rows, options);
}

ZeroTokens parse_zero_tokens(std::string_view text) {
  if (text == "drop") return ZeroTokens::drop;
  if (text == "clamp") return ZeroTokens::clamp;
  if (text == "error") return ZeroTokens::error;
  throw InputError(fmt::format("--zero: '{}' is not one of drop, clamp, error", printable(text)));
}

std::string trace_name(const std::string& path) {
  return std::filesystem::path(without_compression(path)).filename().stem().string();
}

}  // namespace tokenyard
