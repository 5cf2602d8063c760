#include "experiments/report/report.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "experiments/record/result_folder.hpp"
#include "experiments/report/figures.hpp"
#include "experiments/report/html.hpp"
#include "experiments/report/published.hpp"
#include "experiments/report/rate_plot.hpp"
#include "experiments/report/result_reader.hpp"
#include "experiments/report/warnings.hpp"
#include "sim/kernel/input_error.hpp"

namespace tokenyard {

namespace fs = std::filesystem;

namespace {

std::string title_of(const fs::path& folder) {
  std::error_code error;
  const fs::path resolved = fs::weakly_canonical(folder, error);
  const fs::path name = resolved.filename();
  return "Results: " + (name.empty() ? resolved.parent_path().filename() : name).string();
}

/// A value "goodput" for each summary whose requests are there.
void add_goodput(ResultFiles& files, const std::vector<LatencyBound>& slo) {
  std::error_code error;
  bool found = false;
  for (std::size_t i = 0; i < files.folders.size(); ++i) {
    Summary& summary = files.summaries[i];
    const auto duration_s = summary.value("duration_s");
    const bool kept = !files.is_sweep || fs::exists(files.folders[i] / "requests.csv", error);
    if (!kept || !duration_s || *duration_s <= 0) continue;
    RequestGroup group;
    read_requests(files.folders[i], group);
    const auto within = static_cast<double>(count_within(group.runs.front(), slo));
    summary.values.emplace_back("goodput", within / *duration_s);
    found = true;
  }
  if (!found) {
    throw InputError(
        "--slo: goodput needs the requests of each run; repeat the sweep with --keep-cells");
  }
}

std::string words_of(const std::vector<LatencyBound>& slo) {
  std::string words;
  for (const LatencyBound& bound : slo) words += (words.empty() ? "" : " and ") + bound.text;
  return words;
}

/// What would show more.
std::vector<std::string> tips_for(const ResultFiles& files, const std::vector<RequestGroup>& groups,
                                  const std::vector<Drawing>& drawings,
                                  const std::vector<LatencyBound>& slo) {
  std::vector<std::string> tips;
  const bool over_time = std::ranges::any_of(
      drawings, [](const Drawing& drawing) { return drawing.name == "queue_length"; });
  if (!groups.empty() && !over_time) {
    tips.emplace_back(
        "Queue length, KV memory and queue levels over time are drawn of runs with --iterations.");
  }
  if (files.is_sweep && groups.empty() && rate_count(files.summaries) < 2) {
    tips.emplace_back("Distributions are drawn of sweeps with --keep-cells.");
  }
  if (slo.empty()) {
    tips.emplace_back(
        "Goodput is shown for bounds that each request must meet: report DIR --slo 'ttft_s<=1' "
        "--slo 'tpot_s<=0.1'.");
  }
  return tips;
}

}  // namespace

std::string file_contents(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) throw InputError(file.string(), 0, "", "cannot be read");
  return text.str();
}

void write_page(const fs::path& folder, const std::string& text) {
  const fs::path partial = folder / fmt::format(".report.partial-{}", ::getpid());
  write_text_file(partial, text);
  std::error_code error;
  fs::rename(partial, folder / "report.html", error);
  if (error) {
    throw InputError((folder / "report.html").string(), 0, "",
                     "cannot be written: " + error.message());
  }
}

std::vector<std::string> write_report(const fs::path& folder, const std::vector<LatencyBound>& slo,
                                      const std::optional<fs::path>& published) {
  ResultFiles files = read_result_folder(folder);
  const bool over_rates = files.is_sweep && rate_count(files.summaries) > 1;
  Published points;
  if (published) {
    if (!over_rates) throw InputError("--published: goes with a sweep over request rates");
    points = read_published(*published);
  }
  std::vector<RequestGroup> groups;
  if (!over_rates) groups = read_request_groups(files);
  if (!slo.empty()) add_goodput(files, slo);
  Page page{title_of(folder), files, report_warnings(files, groups), {}, {}, words_of(slo)};
  std::vector<std::string> written;
  for (const Figure& figure : draw_figures(folder / "plots", files, groups, points)) {
    const std::string path = "plots/" + figure.name;
    page.drawings.push_back({figure.name, figure.caption, file_contents(folder / (path + ".svg"))});
    for (const char* ending : {".png", ".svg", ".pdf", ".csv"}) written.push_back(path + ending);
  }
  page.tips = tips_for(files, groups, page.drawings, slo);
  write_page(folder, html_page(page));
  written.emplace_back("report.html");
  return written;
}

}  // namespace tokenyard
