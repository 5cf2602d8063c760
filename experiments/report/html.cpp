#include "experiments/report/html.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "experiments/report/html_tables.hpp"

namespace tokenyard {

namespace {

constexpr std::string_view kStyle = R"(
body { font: 15px/1.5 "DejaVu Sans", system-ui, sans-serif; color: #1c1c1c; background: #fff;
       max-width: 76rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: 0; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .87rem; }
th, td { padding: .3rem .55rem; text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
td:first-child { white-space: normal; overflow-wrap: anywhere; min-width: 14rem; }
thead th { border-bottom: 2px solid #444; vertical-align: bottom; white-space: normal; }
tbody tr:nth-child(even) { background: #f4f6f8; }
td.best { font-weight: bold; }
.pm { color: #555; white-space: nowrap; }
.warnings { border-left: 4px solid #D55E00; background: #fdf3ec; padding: .6rem 1rem; }
.warnings ul { margin: 0; padding-left: 1.2rem; } .warnings h2 { margin: 0 0 .3rem; }
figure { margin: 1rem 0; } figure svg { width: 100%; height: auto; }
figcaption, .note { color: #555; font-size: .87rem; }
pre { background: #f4f6f8; padding: 1rem; overflow-x: auto; font-size: .82rem; }
summary { cursor: pointer; }
@page { size: A4 landscape; margin: 12mm; }
@media print { body { margin: 0; padding: 0; max-width: none; font-size: 13px; }
  figure { break-inside: avoid; } figure svg { max-height: 150mm; }
  h2 { break-after: avoid; } tr { break-inside: avoid; }
  .wide { overflow: visible; } table { font-size: .57rem; } td:first-child { min-width: 8rem; }
  th, td { padding: .2rem .25rem; white-space: normal; } pre { white-space: pre-wrap; } }
)";

void replace_all(std::string& text, std::string_view from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

/// The drawing as an element of the page: without its XML head, and with ids of its own, for
/// gnuplot gives every drawing the same ones.
std::string inlined(const Drawing& drawing) {
  const std::string& name = drawing.name;
  const std::size_t begin = drawing.svg.find("<svg");
  std::string text = drawing.svg.substr(begin == std::string::npos ? 0 : begin);
  replace_all(text, "id='gp", "id='" + name + "_gp");
  replace_all(text, "href='#gp", "href='#" + name + "_gp");
  replace_all(text, "id=\"gnuplot_canvas", "id=\"" + name + "_canvas");
  return text;
}

std::string comparison_section(const std::vector<Summary>& summaries, const std::string& slo) {
  std::string text = "<h2>Comparison</h2>\n";
  if (has_several_seeds(summaries)) {
    text += interval_html(summaries);
    text +=
        "<p class=\"note\">Means over the seeds ± the half-width of their 95 % interval "
        "(Student's t); the change of mean JCT is paired by seed.</p>\n<details>\n"
        "<summary>each run</summary>\n" +
        comparison_html(summaries) + "</details>\n";
  } else {
    text += comparison_html(summaries);
  }
  text +=
      "<p class=\"note\">JCT: job completion time, finish − arrival. TTFT: time to first token. "
      "Normalized latency: mean of JCT / output tokens. Latencies are of completed requests; "
      "percentiles are nearest rank. Jain index: of slowdowns, 1 when all suffer alike. Of single "
      "runs the least is bold, and ratios are to the first, of equal seed and request rate.";
  if (!slo.empty()) {
    text += "<br>Goodput: completed requests a second with " + html_escaped(slo) + ".";
  }
  if (has_bounds(summaries)) {
    text += "<br>Lower bound: what the mean JCT of no schedule of the same requests can be below.";
  }
  if (names_in(summaries).size() > summary_names().size()) {
    text +=
        "<br>Program: requests that wait for one another or are of one session; its JCT is last "
        "finish − first arrival.";
  }
  const bool clairvoyant = std::ranges::any_of(
      summaries, [](const Summary& summary) { return summary.key.clairvoyant; });
  if (clairvoyant) text += "<br>* clairvoyant: it used knowledge of the true output lengths.";
  return text + "</p>\n";
}

}  // namespace

std::string html_beginning(const std::string& title) {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>{0}</title>\n<style>{1}</style>\n</head>\n<body>\n<h1>{0}</h1>\n",
      html_escaped(title), kStyle);
}

std::string figure_html(const Drawing& drawing) {
  return fmt::format(
      "<figure>\n{}\n<figcaption>{} <span class=\"pm\">plots/{}.png, .svg, .pdf; the data as "
      ".csv</span></figcaption>\n</figure>\n",
      inlined(drawing), html_escaped(drawing.caption), html_escaped(drawing.name));
}

std::string html_page(const Page& page) {
  const ResultFiles& files = page.files;
  std::string text = html_beginning(page.title);
  text += fmt::format(
      "<p class=\"note\">Tokenyard; {:.0f} requests a run. Times are simulated unless the "
      "settings below say otherwise.</p>\n",
      files.summaries.front().value("requests").value_or(0));
  if (!page.warnings.empty()) {
    text += "<section class=\"warnings\">\n<h2>Before you trust it</h2>\n<ul>\n";
    for (const std::string& warning : page.warnings) {
      text += "<li>" + html_escaped(warning) + "</li>\n";
    }
    text += "</ul>\n</section>\n";
  }
  text += comparison_section(files.summaries, page.slo);
  if (!page.drawings.empty()) text += "<h2>Plots</h2>\n";
  for (const Drawing& drawing : page.drawings) text += figure_html(drawing);
  for (const std::string& tip : page.tips) {
    text += "<p class=\"note\">" + html_escaped(tip) + "</p>\n";
  }
  text += fmt::format(
      "<h2>All numbers</h2>\n<details>\n<summary>every column of summary.csv</summary>\n{}"
      "</details>\n<h2>Configuration</h2>\n<details open>\n<summary>{}</summary>\n<pre>{}</pre>\n"
      "</details>\n</body>\n</html>\n",
      all_numbers_html(files.summaries), files.settings_file, html_escaped(files.settings));
  return text;
}

}  // namespace tokenyard
