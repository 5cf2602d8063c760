#include "experiments/report/figures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "experiments/report/plots.hpp"
#include "experiments/report/rate_plot.hpp"
#include "experiments/report/size_plots.hpp"
#include "experiments/report/time_plots.hpp"

namespace tokenyard {

namespace fs = std::filesystem;

namespace {

/// Draws into one folder and keeps the list.
class Gallery {
 public:
  explicit Gallery(fs::path folder) : folder_(std::move(folder)) {}

  void lines(const LinePlot& plot, const std::vector<Line>& drawn, std::string caption) {
    if (draw_lines(folder_, plot, drawn)) add(plot.name, std::move(caption));
  }
  void add(std::string name, std::string caption) {
    figures_.push_back({std::move(name), std::move(caption)});
  }
  const fs::path& folder() const { return folder_; }
  std::vector<Figure> take() { return std::move(figures_); }

 private:
  fs::path folder_;
  std::vector<Figure> figures_;
};

void draw_against_rate(const ResultFiles& files, const Published& published, Gallery& gallery) {
  const auto& rows = files.summaries;
  const auto value_of = [&](const char* name) {
    return rate_lines(rows, [&rows, name](std::size_t i) { return rows[i].value(name); });
  };
  const char* latency = "mean_normalized_latency_s";
  gallery.lines(latency_rate_plot(), beside_published(value_of(latency), published.of(latency)),
                "Further right under the same height is better: it carries more load at the same "
                "latency. Bars are 95 % intervals over the seeds.");
  gallery.lines(
      throughput_rate_plot(), value_of("request_throughput"),
      "On the diagonal the server keeps up; where a curve turns away from it, it is saturated. "
      "Short runs lie a little below, since they last until the last request is done.");
  LinePlot goodput = throughput_rate_plot();
  goodput.name = "goodput_vs_rate";
  goodput.title = "Goodput against request rate";
  goodput.y_label = "requests completed within the SLO (requests/s)";
  goodput.y_column = "goodput";
  gallery.lines(goodput, value_of("goodput"),
                "Higher is better; past its peak, further load makes more requests late.");
}

void draw_distributions(const std::vector<RequestGroup>& groups, Gallery& gallery) {
  std::vector<PlotSamples> jct;
  for (const RequestGroup& group : groups) {
    PlotSamples& samples = jct.emplace_back(PlotSamples{group.label, {}});
    for (const RunSamples& run : group.runs) {
      for (const RequestSample& request : run.finished) samples.values.push_back(request.jct_s);
    }
  }
  for (const std::string& name : draw_jct_plots(gallery.folder(), jct)) {
    gallery.add(name, name == "jct_cdf"
                          ? "Further left is better: at each height, the time within which that "
                            "share of requests was done. Seeds are pooled."
                          : "The tail: the share of requests that took at least so long. Curves "
                            "that reach further right have slower worst cases.");
  }
}

void draw_by_size(const std::vector<RequestGroup>& groups, Gallery& gallery) {
  const auto jct = [](const RequestSample& request) { return request.jct_s; };
  const auto stretch = [](const RequestSample& request) { return request.stretch(); };
  const auto output = [](const RequestSample& request) -> std::uint64_t {
    return request.output_tokens;
  };
  const auto prompt = [](const RequestSample& request) -> std::uint64_t {
    return request.prompt_tokens;
  };
  const auto both = [](const RequestSample& request) {
    return std::uint64_t{request.prompt_tokens} + request.output_tokens;
  };
  gallery.lines(jct_by_output_plot(), by_size(groups, output, jct),
                "Who pays: classes of about equally many requests by output length. A curve that "
                "rises more steeply favours short answers.");
  gallery.lines(jct_by_prompt_plot(), by_size(groups, prompt, jct), "The same by prompt length.");
  gallery.lines(fairness_by_size_plot(), by_size(groups, both, stretch),
                "1: never waited. A flat curve treats all sizes alike; one that rises makes large "
                "requests wait for small ones, one that falls the reverse.");
  std::vector<std::string> tenants;
  const std::vector<Line> lines = by_tenant(groups, stretch, tenants);
  constexpr std::size_t kMostTenants = 16;
  if (tenants.size() > 1 && tenants.size() <= kMostTenants) {
    gallery.lines(fairness_by_tenant_plot(tenants), lines,
                  "Points at one height: a policy that treats its tenants alike.");
  }
}

/// How many KV blocks every run has, where that is one number.
std::optional<double> common_pool(const ResultFiles& files) {
  const auto json = nlohmann::ordered_json::parse(files.settings);
  std::set<double> pools;
  if (!json.contains("rows") || !json["rows"].is_array()) return std::nullopt;
  for (const auto& row : json["rows"]) {
    const auto blocks = nlohmann::ordered_json::json_pointer("/settings/kv-blocks");
    if (row.contains(blocks) && row[blocks].is_number()) pools.insert(row[blocks].get<double>());
  }
  if (pools.size() != 1) return std::nullopt;
  return *pools.begin();
}

void draw_over_time(const ResultFiles& files, const std::vector<RequestGroup>& groups,
                    Gallery& gallery) {
  const TimeBins bins = bins_for(groups);
  if (!(bins.end_s > 0)) return;
  std::vector<Line> present, waiting, blocks;
  std::vector<std::pair<std::string, TimeLine>> levelled;
  double blocks_most = 0;
  std::error_code error;
  for (const RequestGroup& group : groups) {
    const RunSamples& run = group.runs.front();
    present.push_back(line_over_time(group.label, in_system(run, bins), bins));
    const fs::path file = run.folder / "iterations.csv";
    if (!fs::exists(file, error)) continue;
    TimeLine line = read_time_line(file, bins);
    for (const double used : line.kv_blocks_used) blocks_most = std::max(blocks_most, used);
    waiting.push_back(line_over_time(group.label, line.waiting, bins));
    blocks.push_back(line_over_time(group.label, line.kv_blocks_used, bins));
    if (!line.levels.empty()) levelled.emplace_back(group.label, std::move(line));
  }
  const bool several =
      std::ranges::any_of(groups, [](const RequestGroup& group) { return group.runs.size() > 1; });
  const std::string seed = several ? " Of the first seed." : "";
  gallery.lines(in_system_plot(), present,
                "Arrived and not yet finished. A level that keeps rising while requests come means "
                "more load than the server carries." +
                    seed);
  gallery.lines(queue_length_plot(), waiting, "Live requests that the batch left out." + seed);
  std::optional<double> pool = common_pool(files);
  constexpr double kNear = 4;  // a line far above would flatten the curves
  if (pool && *pool > kNear * blocks_most) pool.reset();
  gallery.lines(kv_use_plot(pool), blocks,
                (pool ? "The thin line is the whole pool; curves that touch it are short of memory "
                        "and evict."
                      : "Blocks that hold KV of some request.") +
                    seed);
  for (std::size_t i = 0; i < levelled.size(); ++i) {
    const auto& [label, line] = levelled[i];
    const std::string name = fmt::format("mlfq_levels_{}", i + 1);
    draw_levels(gallery.folder(), name, label, line.levels, bins);
    gallery.add(name,
                "Live requests stacked by queue level, level 0 (served first) at the bottom and "
                "darkest." +
                    seed);
  }
}

}  // namespace

std::vector<Figure> draw_figures(const fs::path& plots, const ResultFiles& files,
                                 const std::vector<RequestGroup>& groups,
                                 const Published& published) {
  Gallery gallery(plots);
  // The cells of a sweep over rates are too many for one plot of each.
  if (files.is_sweep && rate_count(files.summaries) > 1) {
    draw_against_rate(files, published, gallery);
    return gallery.take();
  }
  if (groups.empty()) return {};
  draw_distributions(groups, gallery);
  draw_by_size(groups, gallery);
  draw_over_time(files, groups, gallery);
  return gallery.take();
}

}  // namespace tokenyard
