#include "experiments/report/html_tables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "experiments/statistics/interval.hpp"
#include "experiments/statistics/paired.hpp"

namespace tokenyard {

namespace {

/// A column of the comparison: its head, its name in summary.csv, decimals, and whether less is
/// better (then the least is shown in bold).
struct Column {
  const char* head;
  const char* name;
  int decimals;
  bool less_is_better;
};

constexpr Column kColumns[] = {
    {"mean JCT (s)", "mean_jct_s", 3, true},
    {"mean JCT / lower bound", "jct_over_bound", 3, true},
    {"p50 JCT (s)", "p50_jct_s", 3, true},
    {"p95 JCT (s)", "p95_jct_s", 3, true},
    {"p99 JCT (s)", "p99_jct_s", 3, true},
    {"mean program JCT (s)", "mean_program_jct_s", 3, true},
    {"p99 program JCT (s)", "p99_program_jct_s", 3, true},
    {"mean TTFT (s)", "mean_ttft_s", 3, true},
    {"p99 TTFT (s)", "p99_ttft_s", 3, true},
    {"normalized latency (s/token)", "mean_normalized_latency_s", 4, true},
    {"requests/s", "request_throughput", 3, false},
    {"tokens/s", "output_token_throughput", 1, false},
    {"goodput (requests/s)", "goodput", 3, false},
    {"Jain index", "jain_fairness", 3, false},
    {"preemptions", "preemptions", 0, false},
    {"rejected", "rejected", 0, false},
};

/// By a column's name.
std::optional<double> value_of(const Summary& summary, std::string_view name) {
  if (name == "jct_over_bound") return jct_over_bound(summary);
  if (name == kBoundName) return summary.lower_bound_mean_jct_s;
  return summary.value(name);
}

/// Columns without a single value are left out, and rejections where there are none.
std::vector<Column> columns_of(std::span<const Summary> summaries) {
  std::vector<Column> columns;
  for (const Column& column : kColumns) {
    const bool there = std::ranges::any_of(summaries, [&](const Summary& summary) {
      const auto value = value_of(summary, column.name);
      return value && (*value > 0 || std::string_view(column.name) != "rejected");
    });
    if (there) columns.push_back(column);
  }
  return columns;
}

std::string head(const std::vector<Column>& columns) {
  std::string text =
      "<div class=\"wide\"><table>\n<thead><tr><th>label</th><th>mean JCT vs first</th>";
  for (const Column& column : columns) text += fmt::format("<th>{}</th>", column.head);
  return text + "</tr></thead>\n<tbody>\n";
}

std::string cell(const std::optional<double>& value, int decimals) {
  return value ? fmt::format("{:.{}f}", *value, decimals) : "–";
}

/// "+1.2": never a minus before what is rounded to nothing.
std::string signed_percent(double share) {
  const double percent = 100 * share;
  return fmt::format("{:+.1f}", std::abs(percent) < 0.05 ? 0.0 : percent);
}

/// It may break where a policy's parameters do.
std::string label_cell(const std::string& label, bool clairvoyant) {
  std::string text;
  for (const char c : label) {
    text += html_escaped({&c, 1});
    if (c == ':' || c == ',' || c == '@') text += "<wbr>";
  }
  return text + (clairvoyant ? " *" : "");
}

/// The runs of one series at one rate, by seed.
struct Series {
  const Summary* first = nullptr;
  std::map<std::uint64_t, const Summary*> runs;
};

std::vector<Series> series_of(std::span<const Summary> summaries) {
  std::vector<Series> all;
  for (const Summary& summary : summaries) {
    auto found = std::ranges::find_if(all, [&](const Series& series) {
      return series.first->key.series == summary.key.series &&
             series.first->key.request_rate == summary.key.request_rate;
    });
    if (found == all.end()) {
      found = all.insert(all.end(), {&summary, {}});
    }
    found->runs[summary.key.seed] = &summary;
  }
  return all;
}

std::string interval_cell(const Series& series, const Column& column) {
  std::vector<double> samples;
  for (const auto& [seed, run] : series.runs) {
    if (const auto value = value_of(*run, column.name)) samples.push_back(*value);
  }
  const Interval interval = t_interval_95(samples);
  std::string text = cell(interval.mean, column.decimals);
  if (interval.half_width) {
    text +=
        fmt::format(" <span class=\"pm\">± {:.{}f}</span>", *interval.half_width, column.decimals);
  }
  return "<td>" + text + "</td>";
}

/// "−12.3 % ± 2.1 %": of mean JCT, paired by seed; "–" where fewer than two seeds pair.
std::string change_cell(const Series& base, const Series& candidate) {
  std::vector<double> before, after;
  for (const auto& [seed, run] : candidate.runs) {
    const auto pair = base.runs.find(seed);
    if (pair == base.runs.end()) continue;
    const auto old_mean = pair->second->value("mean_jct_s"), new_mean = run->value("mean_jct_s");
    if (!old_mean || !new_mean) continue;
    before.push_back(*old_mean);
    after.push_back(*new_mean);
  }
  const auto change = paired_change(before, after);
  if (!change || &base == &candidate) return "<td>–</td>";
  return fmt::format("<td>{} % <span class=\"pm\">± {:.1f} %</span></td>",
                     signed_percent(change->change), 100 * change->half_width());
}

}  // namespace

std::string html_escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string comparison_html(std::span<const Summary> summaries) {
  const std::vector<Column> columns = columns_of(summaries);
  std::string text = head(columns);
  for (const Summary& summary : summaries) {
    std::vector<const Summary*> peers;
    for (const Summary& other : summaries) {
      if (comparable(other.key, summary.key)) peers.push_back(&other);
    }
    text += fmt::format("<tr><td>{}</td>", label_cell(summary.key.label, summary.key.clairvoyant));
    const auto base = peers.front()->value("mean_jct_s");
    const auto mean = summary.value("mean_jct_s");
    const bool comparable = base && mean && *base > 0;
    text += comparable ? fmt::format("<td>{:.3f}×</td>", *mean / *base) : std::string("<td>–</td>");
    for (const Column& column : columns) {
      const auto value = value_of(summary, column.name);
      bool best = column.less_is_better && value && peers.size() > 1;
      for (const Summary* other : peers) {
        const auto theirs = value_of(*other, column.name);
        best = best && !(theirs && *theirs < *value);
      }
      text +=
          fmt::format("<td{}>{}</td>", best ? " class=\"best\"" : "", cell(value, column.decimals));
    }
    text += "</tr>\n";
  }
  return text + "</tbody></table></div>\n";
}

bool has_several_seeds(std::span<const Summary> summaries) {
  return std::ranges::any_of(series_of(summaries),
                             [](const Series& series) { return series.runs.size() > 1; });
}

std::string interval_html(std::span<const Summary> summaries) {
  const std::vector<Series> all = series_of(summaries);
  const std::vector<Column> columns = columns_of(summaries);
  std::string text = head(columns);
  for (const Series& series : all) {
    text += fmt::format("<tr><td>{} <span class=\"pm\">({} seeds)</span></td>",
                        label_cell(series.first->key.series, series.first->key.clairvoyant),
                        series.runs.size());
    const auto base = std::ranges::find_if(all, [&](const Series& other) {
      return other.first->key.request_rate == series.first->key.request_rate;
    });
    text += change_cell(*base, series);
    for (const Column& column : columns) text += interval_cell(series, column);
    text += "</tr>\n";
  }
  return text + "</tbody></table></div>\n";
}

std::string all_numbers_html(std::span<const Summary> summaries) {
  std::string text = "<div class=\"wide\"><table>\n<thead><tr><th>number</th>";
  for (const Summary& summary : summaries)
    text += fmt::format("<th>{}</th>", label_cell(summary.key.label, summary.key.clairvoyant));
  text += "</tr></thead>\n<tbody>\n";
  std::vector<std::string> names = names_in(summaries);
  if (has_bounds(summaries)) names.emplace_back(kBoundName);
  for (const std::string& name : names) {
    text += fmt::format("<tr><td>{}</td>", html_escaped(name));
    for (const Summary& summary : summaries) {
      const auto value = value_of(summary, name);
      text += fmt::format("<td>{}</td>", value ? fmt::format("{:.9g}", *value) : "–");
    }
    text += "</tr>\n";
  }
  return text + "</tbody></table></div>\n";
}

}  // namespace tokenyard
