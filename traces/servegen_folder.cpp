#include "traces/servegen_folder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/random/uniform_01.hpp>
#include <cmath>
#include <filesystem>
#include <functional>
#include <map>
#include <utility>

#include "sim/kernel/input_error.hpp"
#include "sim/kernel/strict_json.hpp"
#include "sim/kernel/text.hpp"
#include "traces/archive.hpp"
#include "traces/line_reader.hpp"
#include "traces/trace_request.hpp"

namespace tokenyard {

namespace fs = std::filesystem;

namespace {

constexpr std::int64_t kMostClients = 1'000'000;
constexpr double kMostSeconds = 3e9;
constexpr double kMostRate = 1e9;
constexpr std::int64_t kMostParts = 10'000;  ///< images of one request

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

/// N, where the name is chunk-N followed by `ending`.
std::optional<std::int64_t> client_of(std::string_view name, std::string_view ending) {
  constexpr std::string_view kBegin = "chunk-";
  if (!name.starts_with(kBegin) || !name.ends_with(ending)) return std::nullopt;
  if (name.size() <= kBegin.size() + ending.size()) return std::nullopt;
  name.remove_prefix(kBegin.size());
  name.remove_suffix(ending.size());
  const auto number = parse_integer(name);
  if (!number || *number < 0 || *number >= kMostClients) return std::nullopt;
  if (name != fmt::format("{}", *number)) return std::nullopt;
  return number;
}

/// One row of chunk-N-trace.csv: window_start_s, rate_rps, cv, law, shape, scale.
class RateRow {
 public:
  RateRow(const LineReader& lines, std::string_view line)
      : lines_(lines), fields_(split(line, ',')) {
    constexpr std::size_t kFields = 6;
    if (fields_.size() != kFields) {
      lines_.refuse("", fmt::format("expected 6 fields (window_start_s, rate_rps, cv, Gamma or "
                                    "Weibull or nothing, shape, scale), found {}",
                                    fields_.size()));
    }
  }

  double begin_s() const { return number(0, "window_start_s", kMostSeconds); }
  double rate() const { return number(1, "rate_rps", kMostRate); }

  UnitGap gap() const {
    const double cv = number(2, "cv", 1e6);
    const std::string_view law = trimmed(fields_[3]);
    number(5, "scale", 1e300);
    if (law.empty()) return {UnitGap::Law::gamma, checked_shape("cv", cv > 0 ? 1 / (cv * cv) : 1)};
    if (law != "Gamma" && law != "Weibull") {
      lines_.refuse("law",
                    fmt::format("expected Gamma, Weibull or nothing, found '{}'", printable(law)));
    }
    return {law == "Gamma" ? UnitGap::Law::gamma : UnitGap::Law::weibull,
            checked_shape("shape", number(4, "shape", 1e9))};
  }

 private:
  double number(std::size_t field, const char* name, double most) const {
    const auto value = parse_number(trimmed(fields_[field]));
    if (!value || *value < 0 || *value > most) {
      lines_.refuse(name, fmt::format("expected a number from 0 to {}, found '{}'",
                                      format_number(most), printable(fields_[field])));
    }
    return *value;
  }

  double checked_shape(const char* field, double shape) const {
    if (shape < kLeastShape || shape > kMostShape) {
      lines_.refuse(field, fmt::format("gaps of shape {} are beyond {} to {}", format_number(shape),
                                       format_number(kLeastShape), format_number(kMostShape)));
    }
    return shape;
  }

  const LineReader& lines_;
  std::vector<std::string_view> fields_;
};

std::vector<ServegenRate> read_rates(LineReader lines) {
  std::vector<ServegenRate> rates;
  double open_from = 0;
  while (const auto line = lines.next()) {
    const RateRow row(lines, *line);
    const double begin = row.begin_s();
    if (begin < open_from) {
      lines.refuse("window_start_s", fmt::format("a window of {} s begins at {}, before the one "
                                                 "above it ends",
                                                 kServegenRateWindow_s, format_number(begin)));
    }
    open_from = begin + kServegenRateWindow_s;
    if (const double rate = row.rate(); rate > 0) rates.push_back({begin, rate, row.gap()});
  }
  if (open_from == 0) lines.refuse("", "the file has no window");
  return rates;
}

ServegenValues read_values(const JsonObject& window, const std::string& key, std::int64_t most) {
  const std::string text = window.string(key);
  try {
    return {text, most};
  } catch (const InputError& error) {
    window.refuse(key, error.what());
  }
}

std::optional<ServegenLengths> read_window(const JsonObject& window, double begin_s) {
  // Shares of reasoning in the output: the output's length holds them already.
  if (window.has("reason_ratio")) window.string("reason_ratio");
  const bool one_part = window.has("input_tokens");
  ServegenValues prompt =
      read_values(window, one_part ? "input_tokens" : "text_tokens", kMostTokens);
  ServegenValues output = read_values(window, "output_tokens", kMostTokens);
  std::vector<ServegenLengths::Part> parts;
  for (const char* kind : {"image", "audio", "video"}) {
    const std::string tokens = fmt::format("{}_tokens", kind);
    if (one_part || !window.has(tokens)) continue;
    parts.push_back({read_values(window, fmt::format("{}_count", kind), kMostParts),
                     read_values(window, tokens, kMostTokens)});
  }
  window.refuse_unread();
  bool complete = !prompt.empty() && !output.empty();
  for (const auto& part : parts) complete &= !part.count.empty() && !part.tokens.empty();
  if (!complete) return std::nullopt;
  return ServegenLengths(begin_s, std::move(prompt), std::move(parts), std::move(output));
}

std::vector<ServegenLengths> read_lengths_by_window(const JsonObject& file) {
  std::vector<ServegenLengths> lengths;
  for (const std::string& key : file.keys()) {
    const auto begin = parse_integer(key);
    if (!begin || *begin < 0 || static_cast<double>(*begin) > kMostSeconds) {
      file.refuse(key, "expected the start of a window, in seconds");
    }
    auto window = read_window(file.object(key), static_cast<double>(*begin));
    if (window) lengths.push_back(std::move(*window));
  }
  std::ranges::sort(lengths, {}, &ServegenLengths::begin_s);
  return lengths;
}

}  // namespace

ServegenValues::ServegenValues(std::string_view text, std::int64_t most) {
  text = trimmed(text);
  if (text.size() < 2 || text.front() != '{' || text.back() != '}') {
    throw InputError("expected {value: probability, ...}");
  }
  text = trimmed(text.substr(1, text.size() - 2));
  if (text.empty()) return;
  double sum = 0;
  for (const std::string_view pair : split(text, ',')) {
    const auto colon = pair.find(':');
    const auto value = parse_integer(trimmed(pair.substr(0, colon)));
    const auto share =
        parse_number(colon == std::string_view::npos ? "" : trimmed(pair.substr(colon + 1)));
    if (!value || *value < 0 || *value > most || !share || *share < 0 || *share > 1) {
      throw InputError(
          fmt::format("expected a whole number from 0 to {} and its probability, "
                      "found '{}'",
                      most, printable(pair)));
    }
    sum += *share;
    values_.push_back(*value);
    cumulative_.push_back(sum);
  }
  constexpr double kTolerance = 1e-6;
  if (std::abs(sum - 1) > kTolerance) {
    throw InputError(fmt::format("the probabilities add up to {}, not to 1", format_number(sum)));
  }
}

std::int64_t ServegenValues::draw(Rng& rng) const {
  boost::random::uniform_01<double> unit;
  const double at = unit(rng) * cumulative_.back();
  const auto found = std::ranges::upper_bound(cumulative_, at);
  return values_[static_cast<std::size_t>(
      std::min(found - cumulative_.begin(), std::ssize(values_) - 1))];
}

Lengths ServegenLengths::draw(Rng& rng) const {
  Lengths drawn{prompt_.draw(rng), output_.draw(rng)};
  for (const Part& part : parts_) {
    const std::int64_t count = part.count.draw(rng);
    for (std::int64_t i = 0; i < count; ++i) drawn.prompt += part.tokens.draw(rng);
  }
  drawn.prompt = std::min(drawn.prompt, kMostTokens);
  return drawn;
}

const ServegenLengths* ServegenClient::lengths_at(double time_s) const {
  const auto after = std::ranges::upper_bound(lengths, time_s, {}, &ServegenLengths::begin_s);
  if (after == lengths.begin()) return nullptr;
  const ServegenLengths& found = *std::prev(after);
  return time_s < found.begin_s() + kServegenLengthWindow_s ? &found : nullptr;
}

namespace {

/// The clients' files, in the order in which they are found.
class ClientFiles {
 public:
  /// Reads a file if it is a client's; gives the text where it does not lie on the disk.
  void add(const std::string& path, const std::function<std::string()>& text) {
    const std::string name = fs::path(path).filename().string();
    if (const auto client = client_of(name, "-trace.csv")) {
      auto rates = read_rates(text ? LineReader(path, text()) : LineReader(path));
      if (!rates_.try_emplace(*client, std::move(rates)).second) refuse_second(path);
    }
    if (const auto client = client_of(name, "-dataset.json")) {
      auto lengths =
          read_lengths_by_window(text ? JsonFile::parse(text(), path) : JsonFile::read(path));
      if (!lengths_.try_emplace(*client, std::move(lengths)).second) refuse_second(path);
    }
  }

  std::vector<ServegenClient> take(const std::string& where) {
    if (rates_.empty()) {
      throw InputError(where, 0, "", "no client is in it (chunk-N-trace.csv)");
    }
    std::vector<ServegenClient> clients;
    for (auto& [number, rates] : rates_) {
      ServegenClient client{number, std::move(rates), false, {}};
      if (const auto lengths = lengths_.extract(number)) {
        client.has_dataset = true;
        client.lengths = std::move(lengths.mapped());
      }
      clients.push_back(std::move(client));
    }
    if (!lengths_.empty()) {
      const std::int64_t number = lengths_.begin()->first;
      throw InputError(where, 0, "",
                       fmt::format("chunk-{0}-dataset.json has no chunk-{0}-trace.csv", number));
    }
    return clients;
  }

 private:
  [[noreturn]] static void refuse_second(const std::string& path) {
    throw InputError(path, 0, "", "there are two files of this client");
  }

  std::map<std::int64_t, std::vector<ServegenRate>> rates_;
  std::map<std::int64_t, std::vector<ServegenLengths>> lengths_;
};

}  // namespace

std::vector<ServegenClient> read_servegen_folder(const std::string& folder) {
  ClientFiles files;
  std::error_code ignored;
  if (fs::is_regular_file(folder, ignored)) {
    read_archive(folder, [&](const std::string& name, const auto& text) {
      files.add(fmt::format("{}/{}", folder, fs::path(name).filename().string()), text);
    });
    return files.take(folder);
  }
  std::vector<std::string> paths;
  try {
    for (const auto& entry : fs::directory_iterator(folder)) paths.push_back(entry.path().string());
  } catch (const fs::filesystem_error& error) {
    throw InputError(folder, 0, "", fmt::format("cannot be read: {}", error.code().message()));
  }
  std::ranges::sort(paths);
  for (const std::string& path : paths) files.add(path, {});
  return files.take(folder);
}

}  // namespace tokenyard
