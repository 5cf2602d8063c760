#include "experiments/study/study_lines.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "experiments/report/rate_plot.hpp"
#include "sim/kernel/input_error.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

namespace {

[[noreturn]] void refuse(const StudyFigure& figure, const std::string& message) {
  throw InputError(fmt::format("figure '{}': {}", figure.name, message));
}

/// A row's place on the x axis. Without request rates there is one place.
double place_of(const StudyFigure& figure, const SummaryKey& key) {
  if (figure.variant_axis.empty()) return key.request_rate.value_or(0);
  const std::string before = figure.variant_axis + "=";
  const auto number = key.variant.starts_with(before)
                          ? parse_number(std::string_view(key.variant).substr(before.size()))
                          : std::nullopt;
  if (!number) {
    refuse(figure, fmt::format("the variant '{}' is not named {}NUMBER", key.variant, before));
  }
  return *number;
}

/// What names a row's line: what its label says beyond the x axis and the seed.
std::string label_of(const StudyFigure& figure, const SummaryKey& key) {
  std::string label = without_rate(key);
  const std::string before = key.variant + " ";
  if (!figure.variant_axis.empty() && label.starts_with(before)) label.erase(0, before.size());
  return label;
}

/// In the order and under the names that the figure gives.
std::vector<SeededLine> chosen(const StudyFigure& figure, std::vector<SeededLine> lines) {
  if (figure.lines.empty()) return lines;
  std::vector<SeededLine> kept;
  for (const StudyLine& wanted : figure.lines) {
    const auto found = std::ranges::find(lines, wanted.label, &SeededLine::label);
    if (found == lines.end()) {
      std::vector<std::string> labels;
      for (const SeededLine& line : lines) labels.push_back("'" + line.label + "'");
      refuse(figure, fmt::format("no line '{}' in its sweeps; there are {}",
                                 printable(wanted.label), fmt::join(labels, ", ")));
    }
    kept.push_back({wanted.shown, found->values});
  }
  return kept;
}

}  // namespace

std::vector<SeededLine> study_lines(const StudyFigure& figure, std::span<const Summary> rows,
                                    const std::string& metric) {
  std::vector<SeededLine> lines;
  for (const Summary& row : rows) {
    const std::string label = label_of(figure, row.key);
    auto line = std::ranges::find(lines, label, &SeededLine::label);
    if (line == lines.end()) line = lines.insert(line, SeededLine{label, {}});
    const auto value = row.value(metric);
    if (!value) continue;
    const double x = place_of(figure, row.key);
    if (!line->values[x].emplace(row.key.seed, *value).second) {
      refuse(figure, fmt::format("two rows are the point {} of '{}'", format_number(x), label));
    }
  }
  return chosen(figure, std::move(lines));
}

}  // namespace tokenyard
