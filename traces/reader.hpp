#pragma once
// Reading traces of any known format. A format is one file under traces/readers/ and one line in
// traces/readers/catalogue.cpp.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "sim/ports/parameters.hpp"
#include "traces/line_reader.hpp"
#include "traces/trace.hpp"
#include "traces/trace_builder.hpp"

namespace tokenyard {

/// Counts the tokens of a text.
using TokenCounter = std::function<std::int64_t(std::string_view text)>;

struct ReadOptions {
  /// `name` or `name:key=value,key=value` of a reader; "" recognises the format by the first line.
  std::string format;
  ZeroTokens zero = ZeroTokens::drop;
  std::optional<std::int64_t> limit;  ///< keep the first so many requests, >= 1
  /// Whether to keep what describes requests and decides nothing (`Trace::details`).
  bool details = false;
  /// Takes files that tell lengths and no arrivals; all requests then arrive at the origin.
  bool lengths_only = false;
  /// Loads a tokenizer from its folder, for formats that hold texts. Given from above, where the
  /// engine's are known; it throws `InputError`.
  std::function<TokenCounter(const std::string& folder)> load_tokenizer{};
  /// Whether to take somebody's word that no id is there twice: a set of all ids is then not kept.
  bool trust_ids = false;

  // How much is kept of a file that is read along with a run and is not sorted.
  std::size_t window = 1'000'000;                  ///< rows, see `RowOrder`
  std::size_t sort_bytes = std::size_t{64} << 20;  ///< of a run of the external sort
};

/// Reads the rows of one file of one format, one by one. Refers to its `LineReader`, which must
/// outlive it.
class RowReader {
 public:
  virtual ~RowReader() = default;

  /// Reads the next row into `row`, which is new; false at the end of the file. Its texts and lists
  /// live until the next call.
  virtual bool next(TraceRow& row) = 0;

  /// Known once the first row is.
  virtual TraceMeta meta() const { return {}; }

  /// Where its times count from.
  virtual TraceOrigin origin() const { return TraceOrigin::zero; }
};

/// A trace format: a row of the table of readers.
struct ReaderEntry {
  const char* name;     ///< as `--format` has it
  const char* summary;  ///< for messages and lists: what its first line looks like
  /// Whether a file that begins with this line, or so (`By`), is of the format. Formats exclude one
  /// another.
  bool (*recognises)(std::string_view beginning);
  /// Begins to read a file, at its first line. What `--format` says beside the name it reads from
  /// `parameters`.
  std::unique_ptr<RowReader> (*open)(LineReader& lines, const ReadOptions& options,
                                     Parameters& parameters);

  /// What a format is recognised by.
  enum class By : std::uint8_t { first_line, beginning };
  By by = By::first_line;  ///< `beginning`: the first 64 KiB of a file that is not made of lines
};

std::span<const ReaderEntry> trace_readers();

/// A file's rows on their way into a trace.
class TraceRows {
 public:
  /// Recognises the format where `options` do not name it. `ids` says whether ids are checked (as
  /// `options` have it). Bad input is an `InputError`, here and later.
  TraceRows(const std::string& path, const ReadOptions& options,
            std::optional<TraceBuilder::Ids> ids = std::nullopt);
  /// The same of a text in memory; `lines` is at its beginning.
  TraceRows(LineReader lines, const ReadOptions& options,
            std::optional<TraceBuilder::Ids> ids = std::nullopt);

  /// Adds the next row to the builder; false at the end of the file.
  bool add_next();
  /// Reads the next row, with its number, for somebody to add; valid until the next one is read.
  bool next(TraceRow& row);
  /// Another builder of the same rows, for those that were added to the first and found right.
  TraceBuilder trusting_builder(ZeroTokens zero) const;

  const std::string& path() const { return lines_.path(); }
  /// How far the file is read, in bytes of text.
  std::uint64_t read_bytes() const { return lines_.taken(); }
  TraceBuilder& builder() { return builder_; }
  /// What the file's own times count from. After the last row.
  std::int64_t origin_ns() const;

 private:
  LineReader lines_;
  TraceBuilder builder_;
  std::unique_ptr<RowReader> reader_;
  std::int64_t read_ = 0;
};

/// Reads a trace file. Bad input is an `InputError` that names the file, the line and the field.
Trace read_trace(const std::string& path, const ReadOptions& options = {});

/// The same of a text in memory; `name` stands for the file.
Trace read_trace_text(const std::string& name, std::string text, const ReadOptions& options = {});

/// "drop", "clamp" or "error"; anything else is an `InputError`.
ZeroTokens parse_zero_tokens(std::string_view text);

/// A path's file name without .gz and its ending: "conv" for "a/conv.csv.gz".
std::string trace_name(const std::string& path);

}  // namespace tokenyard
