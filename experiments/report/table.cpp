#include "experiments/report/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

namespace tokenyard {

namespace {

/// A column of the table: its head in two lines and a cell per row.
struct Column {
  std::string group, head;
  std::vector<std::string> cells;
  std::size_t width = 0;
};

std::optional<double> largest(std::span<const Summary> summaries, std::string_view name) {
  std::optional<double> most;
  for (const Summary& summary : summaries) {
    const auto value = summary.value(name);
    if (value && (!most || *value > *most)) most = value;
  }
  return most;
}

/// Decimals that give a number three to four significant digits.
int decimals_for(double value) {
  if (value >= 1000) return 0;
  if (value >= 100) return 1;
  if (value >= 10) return 2;
  return 3;
}

Column numbers(std::span<const Summary> summaries, std::string group, std::string head,
               std::string_view name, double scale, std::optional<int> decimals = {}) {
  Column column{std::move(group), std::move(head), {}};
  for (const Summary& summary : summaries) {
    const auto value = summary.value(name);
    if (!value) {
      column.cells.emplace_back("-");
      continue;
    }
    // Each number by itself: a slow system must not round its neighbours to nothing.
    const int digits = decimals ? *decimals : decimals_for(scale * *value);
    column.cells.push_back(fmt::format("{:.{}f}", scale * *value, digits));
  }
  return column;
}

struct Unit {
  std::string_view name;
  double scale;
};

/// Milliseconds where no value of the group reaches a second.
Unit unit_for(std::span<const Summary> summaries, std::string_view name) {
  return largest(summaries, name).value_or(0) < 1 ? Unit{"ms", 1e3} : Unit{"s", 1};
}

std::string in(std::string_view what, const Unit& unit) {
  return fmt::format("{} ({})", what, unit.name);
}

/// Where there are programs.
void add_programs(std::span<const Summary> summaries, std::vector<Column>& columns) {
  if (!largest(summaries, "mean_program_jct_s")) return;
  const Unit unit = unit_for(summaries, "mean_program_jct_s");
  columns.push_back(
      numbers(summaries, "program", in("JCT", unit), "mean_program_jct_s", unit.scale));
}

Column ratios(std::span<const Summary> summaries) {
  Column column{"JCT vs", "first", {}};
  for (const Summary& summary : summaries) {
    const auto first = std::find_if(summaries.begin(), summaries.end(), [&](const Summary& other) {
      return comparable(other.key, summary.key);
    });
    const auto base = first->value("mean_jct_s");
    const auto value = summary.value("mean_jct_s");
    column.cells.push_back(base && value && *base > 0 ? fmt::format("{:.3f}x", *value / *base)
                                                      : "-");
  }
  return column;
}

/// How far each mean JCT is from what no schedule can fall below.
Column bound_ratios(std::span<const Summary> summaries) {
  Column column{"JCT vs", "bound", {}};
  for (const Summary& summary : summaries) {
    const auto ratio = jct_over_bound(summary);
    column.cells.push_back(ratio ? fmt::format("{:.3f}x", *ratio) : "-");
  }
  return column;
}

std::vector<Column> columns_of_run(std::span<const Summary> summaries) {
  std::vector<Column> columns;
  const Unit jct = unit_for(summaries, "p99_jct_s");
  const Unit ttft = unit_for(summaries, "p99_ttft_s");
  const Unit normalized = unit_for(summaries, "mean_normalized_latency_s");
  columns.push_back(numbers(summaries, in("JCT", jct), "mean", "mean_jct_s", jct.scale));
  columns.push_back(numbers(summaries, "", "p50", "p50_jct_s", jct.scale));
  columns.push_back(numbers(summaries, "", "p95", "p95_jct_s", jct.scale));
  columns.push_back(numbers(summaries, "", "p99", "p99_jct_s", jct.scale));
  add_programs(summaries, columns);
  columns.push_back(numbers(summaries, in("TTFT", ttft), "mean", "mean_ttft_s", ttft.scale));
  columns.push_back(numbers(summaries, "", "p99", "p99_ttft_s", ttft.scale));
  columns.push_back(numbers(summaries, "normalized", fmt::format("{}/token", normalized.name),
                            "mean_normalized_latency_s", normalized.scale));
  columns.push_back(numbers(summaries, "throughput", "req/s", "request_throughput", 1));
  columns.push_back(numbers(summaries, "", "tokens/s", "output_token_throughput", 1));
  columns.push_back(numbers(summaries, "times", "preempted", "preemptions", 1, 0));
  if (largest(summaries, "rejected").value_or(0) > 0) {
    columns.push_back(numbers(summaries, " ", "rejected", "rejected", 1, 0));
  }
  columns.push_back(ratios(summaries));
  if (has_bounds(summaries)) columns.push_back(bound_ratios(summaries));
  return columns;
}

std::vector<Column> columns_of_sweep(std::span<const Summary> summaries) {
  std::vector<Column> columns;
  const Unit jct = unit_for(summaries, "p95_jct_s");
  const Unit ttft = unit_for(summaries, "mean_ttft_s");
  const Unit normalized = unit_for(summaries, "mean_normalized_latency_s");
  columns.push_back(numbers(summaries, in("JCT", jct), "mean", "mean_jct_s", jct.scale));
  columns.push_back(numbers(summaries, "", "p95", "p95_jct_s", jct.scale));
  add_programs(summaries, columns);
  columns.push_back(numbers(summaries, in("TTFT", ttft), "mean", "mean_ttft_s", ttft.scale));
  columns.push_back(numbers(summaries, "normalized", fmt::format("{}/token", normalized.name),
                            "mean_normalized_latency_s", normalized.scale));
  columns.push_back(numbers(summaries, "times", "preempted", "preemptions", 1, 0));
  columns.push_back(numbers(summaries, "swapped", "out", "swaps_out", 1, 0));
  columns.push_back(numbers(summaries, "", "in", "swaps_in", 1, 0));
  if (largest(summaries, "rejected").value_or(0) > 0) {
    columns.push_back(numbers(summaries, " ", "rejected", "rejected", 1, 0));
  }
  columns.push_back(ratios(summaries));
  if (has_bounds(summaries)) columns.push_back(bound_ratios(summaries));
  return columns;
}

void set_widths(std::vector<Column>& columns) {
  for (Column& column : columns) {
    column.width = column.head.size();
    for (const auto& cell : column.cells) column.width = std::max(column.width, cell.size());
  }
  // A group's title stands over its first column and runs on over the untitled ones after it.
  for (std::size_t i = 0; i < columns.size(); ++i) {
    std::size_t room = columns[i].width;
    std::size_t j = i + 1;
    for (; j < columns.size() && columns[j].group.empty(); ++j) room += 2 + columns[j].width;
    if (columns[i].group.size() > room) columns[i].width += columns[i].group.size() - room;
  }
}

/// Cuts a label into lines of at most `width` bytes, after a separator where there is one near.
std::vector<std::string> wrapped(std::string_view label, std::size_t width) {
  std::vector<std::string> lines;
  while (label.size() > width) {
    std::size_t cut = label.find_last_of(" ,:=_", width - 1);
    cut = cut == std::string_view::npos || cut < width / 2 ? width : cut + 1;
    lines.emplace_back(label.substr(0, cut));
    label.remove_prefix(cut);
  }
  lines.emplace_back(label);
  return lines;
}

std::string trimmed(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

std::string group_line(const std::vector<Column>& columns, std::size_t label_width) {
  std::string line(label_width, ' ');
  for (std::size_t i = 0; i < columns.size();) {
    std::size_t room = columns[i].width;
    std::size_t next = i + 1;
    for (; next < columns.size() && columns[next].group.empty(); ++next) {
      room += 2 + columns[next].width;
    }
    // Over several columns a title is centred between dashes, over one it stands as its numbers do.
    line += next - i > 1 && room >= columns[i].group.size() + 2
                ? fmt::format("  {:-^{}}", " " + columns[i].group + " ", room)
                : fmt::format("  {:>{}}", columns[i].group, room);
    i = next;
  }
  return trimmed(line);
}

/// The table of these columns; see `comparison_table`.
std::string table_of(std::span<const Summary> summaries, std::vector<Column> columns,
                     std::size_t width_max) {
  if (summaries.empty()) return "";
  set_widths(columns);
  std::vector<std::string> labels;
  bool clairvoyant = false;
  std::size_t label_width = 8;
  for (const Summary& summary : summaries) {
    labels.push_back(summary.key.label + (summary.key.clairvoyant ? " *" : ""));
    clairvoyant = clairvoyant || summary.key.clairvoyant;
    label_width = std::max(label_width, labels.back().size());
  }
  std::size_t numbers_width = 0;
  for (const Column& column : columns) numbers_width += 2 + column.width;
  constexpr std::size_t kNarrowest = 12;
  const std::size_t room = width_max > numbers_width ? width_max - numbers_width : 0;
  label_width = std::min(label_width, std::max(room, kNarrowest));

  std::string text = group_line(columns, label_width);
  std::string heads = fmt::format("{:<{}}", "label", label_width);
  for (const Column& column : columns) heads += fmt::format("  {:>{}}", column.head, column.width);
  text += trimmed(heads);
  for (std::size_t row = 0; row < summaries.size(); ++row) {
    const auto lines = wrapped(labels[row], label_width);
    std::string line = fmt::format("{:<{}}", lines.front(), label_width);
    for (const Column& column : columns) {
      line += fmt::format("  {:>{}}", column.cells[row], column.width);
    }
    text += trimmed(line);
    for (std::size_t i = 1; i < lines.size(); ++i) text += lines[i] + "\n";
  }
  if (clairvoyant) text += "* clairvoyant: it used knowledge of the true output lengths\n";
  return text;
}

}  // namespace

std::string comparison_table(std::span<const Summary> summaries, std::size_t width_max) {
  return table_of(summaries, columns_of_run(summaries), width_max);
}

std::string sweep_table(std::span<const Summary> summaries, std::size_t width_max) {
  return table_of(summaries, columns_of_sweep(summaries), width_max);
}

}  // namespace tokenyard
