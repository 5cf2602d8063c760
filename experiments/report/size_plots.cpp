#include "experiments/report/size_plots.hpp"

#include <algorithm>
#include <map>

#include "experiments/statistics/interval.hpp"

namespace tokenyard {

namespace {

/// The largest size of each class, ascending.
std::vector<std::uint64_t> class_ends(std::vector<std::uint64_t> sizes, std::size_t classes_max) {
  std::sort(sizes.begin(), sizes.end());
  std::vector<std::uint64_t> ends;
  for (std::size_t i = 1; i <= classes_max && !sizes.empty(); ++i) {
    const std::size_t rank = std::max<std::size_t>(1, sizes.size() * i / classes_max);
    if (ends.empty() || sizes[rank - 1] > ends.back()) ends.push_back(sizes[rank - 1]);
  }
  return ends;
}

struct Mean {
  double sum = 0;
  std::int64_t count = 0;

  void add(double value) {
    sum += value;
    ++count;
  }
  double value() const { return sum / static_cast<double>(count); }
};

/// A point at `x` from one mean a run; runs without a sample are left out.
void add_point(Line& line, double x, const std::vector<double>& means) {
  if (means.empty()) return;
  const Interval interval = t_interval_95(means);
  line.points.push_back({x, *interval.mean, interval.half_width});
}

/// A line of the means of each class, 0 … `classes` - 1, at the x that belong to them.
Line line_of(const RequestGroup& group, const std::vector<double>& x,
             const std::function<std::size_t(const RequestSample&)>& class_of,
             const ValueOf& value) {
  std::vector<std::vector<double>> means(x.size());
  for (const RunSamples& run : group.runs) {
    std::vector<Mean> sums(x.size());
    for (const RequestSample& request : run.finished) {
      sums[class_of(request)].add(value(request));
    }
    for (std::size_t i = 0; i < sums.size(); ++i) {
      if (sums[i].count > 0) means[i].push_back(sums[i].value());
    }
  }
  Line line{group.label, {}};
  for (std::size_t i = 0; i < x.size(); ++i) add_point(line, x[i], means[i]);
  return line;
}

template <typename Visit>
void for_each_request(std::span<const RequestGroup> groups, Visit visit) {
  for (const RequestGroup& group : groups) {
    for (const RunSamples& run : group.runs) {
      for (const RequestSample& request : run.finished) visit(request);
    }
  }
}

}  // namespace

std::vector<Line> by_size(std::span<const RequestGroup> groups, const SizeOf& size,
                          const ValueOf& value, std::size_t classes_max) {
  std::vector<std::uint64_t> sizes;
  for_each_request(groups, [&](const RequestSample& request) { sizes.push_back(size(request)); });
  const std::vector<std::uint64_t> ends = class_ends(std::move(sizes), classes_max);
  const auto class_of = [&](const RequestSample& request) {
    const auto end = std::lower_bound(ends.begin(), ends.end(), size(request));
    return static_cast<std::size_t>(end - ends.begin());
  };
  std::vector<Mean> middles(ends.size());
  for_each_request(groups, [&](const RequestSample& request) {
    middles[class_of(request)].add(static_cast<double>(size(request)));
  });
  std::vector<double> x;
  for (const Mean& middle : middles) x.push_back(middle.value());
  std::vector<Line> lines;
  for (const RequestGroup& group : groups) lines.push_back(line_of(group, x, class_of, value));
  return lines;
}

std::vector<Line> by_tenant(std::span<const RequestGroup> groups, const ValueOf& value,
                            std::vector<std::string>& names) {
  std::map<std::string, std::size_t> places;
  for (const RequestGroup& group : groups) {
    for (const std::string& tenant : group.tenants) {
      if (places.emplace(tenant, names.size()).second) names.push_back(tenant);
    }
  }
  std::vector<double> x;
  for (std::size_t i = 0; i < names.size(); ++i) x.push_back(static_cast<double>(i));
  std::vector<Line> lines;
  for (const RequestGroup& group : groups) {
    const auto class_of = [&](const RequestSample& request) {
      return places.at(group.tenants[request.tenant]);
    };
    lines.push_back(line_of(group, x, class_of, value));
  }
  return lines;
}

LinePlot jct_by_output_plot() {
  LinePlot plot;
  plot.name = "jct_by_output";
  plot.title = "Job completion time by output length";
  plot.x_label = "output tokens (mean of the class)";
  plot.y_label = "mean JCT (s)";
  plot.x_column = "output_tokens";
  plot.y_column = "mean_jct_s";
  plot.log_x = plot.log_y = true;
  return plot;
}

LinePlot jct_by_prompt_plot() {
  LinePlot plot = jct_by_output_plot();
  plot.name = "jct_by_prompt";
  plot.title = "Job completion time by prompt length";
  plot.x_label = "prompt tokens (mean of the class)";
  plot.x_column = "prompt_tokens";
  return plot;
}

LinePlot fairness_by_size_plot() {
  LinePlot plot;
  plot.name = "fairness_by_size";
  plot.title = "Fairness: time in the system over time in batches, by size";
  plot.x_label = "prompt and output tokens (mean of the class)";
  plot.y_label = "mean of JCT / (prefill + decode time)";
  plot.x_column = "tokens";
  plot.y_column = "mean_stretch";
  plot.log_x = plot.log_y = true;
  plot.guide = 1;
  return plot;
}

LinePlot fairness_by_tenant_plot(std::vector<std::string> tenants) {
  LinePlot plot = fairness_by_size_plot();
  plot.name = "fairness_by_tenant";
  plot.title = "Fairness: time in the system over time in batches, by tenant";
  plot.x_label = "tenant";
  plot.x_column = "tenant";
  plot.log_x = false;
  for (std::string& name : tenants) {
    if (name.empty()) name = "(none)";
  }
  plot.x_names = std::move(tenants);
  return plot;
}

}  // namespace tokenyard
