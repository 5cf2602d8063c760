#include "experiments/report/html.hpp"

#include <fmt/format.h>

#include <optional>

namespace tokenyard {

namespace {

constexpr std::string_view kStyle = R"(
body { font: 15px/1.5 "DejaVu Sans", system-ui, sans-serif; color: #1c1c1c; background: #fff;
       max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: 0; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .87rem; }
th, td { padding: .3rem .55rem; text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
td:first-child { white-space: normal; overflow-wrap: anywhere; min-width: 8rem; }
thead th { border-bottom: 2px solid #444; vertical-align: bottom; white-space: normal; }
tbody tr:nth-child(even) { background: #f4f6f8; }
td.best { font-weight: bold; }
figure { margin: 1rem 0; } figure svg { width: 100%; height: auto; }
figcaption, .note { color: #555; font-size: .87rem; }
pre { background: #f4f6f8; padding: 1rem; overflow-x: auto; font-size: .82rem; }
summary { cursor: pointer; }
@media print { body { margin: 0; max-width: none; } details { display: block; } }
)";

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
    {"p50 JCT (s)", "p50_jct_s", 3, true},
    {"p95 JCT (s)", "p95_jct_s", 3, true},
    {"p99 JCT (s)", "p99_jct_s", 3, true},
    {"mean TTFT (s)", "mean_ttft_s", 3, true},
    {"p99 TTFT (s)", "p99_ttft_s", 3, true},
    {"normalized latency (s/token)", "mean_normalized_latency_s", 4, true},
    {"requests/s", "request_throughput", 3, false},
    {"tokens/s", "output_token_throughput", 1, false},
    {"preemptions", "preemptions", 0, false},
    {"rejected", "rejected", 0, false},
};

std::string cell(const std::optional<double>& value, int decimals) {
  return value ? fmt::format("{:.{}f}", *value, decimals) : "–";
}

std::string label_cell(const Summary& summary) {
  return html_escaped(summary.key.label) + (summary.key.clairvoyant ? " *" : "");
}

std::string comparison(const std::vector<Summary>& summaries) {
  std::string text = "<div class=\"wide\"><table>\n<thead><tr><th>label</th>";
  for (const Column& column : kColumns) text += fmt::format("<th>{}</th>", column.head);
  text += "<th>JCT vs first</th></tr></thead>\n<tbody>\n";
  for (const Summary& summary : summaries) {
    std::vector<const Summary*> peers;
    for (const Summary& other : summaries) {
      if (comparable(other.key, summary.key)) peers.push_back(&other);
    }
    text += fmt::format("<tr><td>{}</td>", label_cell(summary));
    for (const Column& column : kColumns) {
      const auto value = summary.value(column.name);
      bool best = column.less_is_better && value && peers.size() > 1;
      for (const Summary* other : peers) {
        const auto theirs = other->value(column.name);
        best = best && !(theirs && *theirs < *value);
      }
      text +=
          fmt::format("<td{}>{}</td>", best ? " class=\"best\"" : "", cell(value, column.decimals));
    }
    const auto base = peers.front()->value("mean_jct_s");
    const auto mean = summary.value("mean_jct_s");
    const bool comparable = base && mean && *base > 0;
    text += comparable ? fmt::format("<td>{:.3f}×</td></tr>\n", *mean / *base)
                       : std::string("<td>–</td></tr>\n");
  }
  return text + "</tbody></table></div>\n";
}

/// All numbers, a row each: with many columns a page could not show them otherwise.
std::string all_numbers(const std::vector<Summary>& summaries) {
  std::string text = "<div class=\"wide\"><table>\n<thead><tr><th>number</th>";
  for (const Summary& summary : summaries) text += fmt::format("<th>{}</th>", label_cell(summary));
  text += "</tr></thead>\n<tbody>\n";
  for (const std::string& name : summary_names()) {
    text += fmt::format("<tr><td>{}</td>", html_escaped(name));
    for (const Summary& summary : summaries) {
      const auto value = summary.value(name);
      text += fmt::format("<td>{}</td>", value ? fmt::format("{:.9g}", *value) : "–");
    }
    text += "</tr>\n";
  }
  return text + "</tbody></table></div>\n";
}

void replace_all(std::string& text, std::string_view from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

/// The drawing as an element of the page: without its XML head, and with ids of its own, for
/// gnuplot gives every drawing the same ones.
std::string inlined(const Drawing& drawing) {
  const auto& [name, svg] = drawing;
  const std::size_t begin = svg.find("<svg");
  std::string text = svg.substr(begin == std::string::npos ? 0 : begin);
  replace_all(text, "id='gp", "id='" + name + "_gp");
  replace_all(text, "href='#gp", "href='#" + name + "_gp");
  replace_all(text, "id=\"gnuplot_canvas", "id=\"" + name + "_canvas");
  return text;
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

std::string html_page(std::string_view title, const ResultFiles& files,
                      const std::vector<Drawing>& drawings) {
  bool clairvoyant = false;
  for (const Summary& summary : files.summaries) {
    clairvoyant = clairvoyant || summary.key.clairvoyant;
  }
  const auto requests = files.summaries.front().value("requests").value_or(0);
  std::string text = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>{0}</title>\n<style>{1}</style>\n</head>\n<body>\n<h1>{0}</h1>\n"
      "<p class=\"note\">Tokenyard; {2:.0f} requests a run. Times are simulated unless the "
      "settings "
      "below say otherwise.</p>\n<h2>Comparison</h2>\n{3}",
      html_escaped(title), kStyle, requests, comparison(files.summaries));
  text +=
      "<p class=\"note\">JCT: job completion time, finish − arrival. TTFT: time to first token. "
      "Normalized latency: mean of JCT / output tokens. Latencies are of completed requests; "
      "percentiles are nearest rank. Bold: the least, and ratios: to the first, of equal seed and "
      "request rate.";
  if (clairvoyant) text += "<br>* clairvoyant: it used knowledge of the true output lengths.";
  text += "</p>\n";
  if (!drawings.empty()) text += "<h2>Plots</h2>\n";
  for (const Drawing& drawing : drawings) {
    text += fmt::format(
        "<figure>\n{}\n<figcaption>plots/{}.png, .svg and the data as .csv"
        "</figcaption>\n</figure>\n",
        inlined(drawing), html_escaped(drawing.first));
  }
  text += fmt::format(
      "<h2>All numbers</h2>\n<details>\n<summary>every column of summary.csv</summary>\n{}"
      "</details>\n<h2>Settings</h2>\n<details open>\n<summary>{}</summary>\n<pre>{}</pre>\n"
      "</details>\n</body>\n</html>\n",
      all_numbers(files.summaries), files.settings_file, html_escaped(files.settings));
  return text;
}

}  // namespace tokenyard
