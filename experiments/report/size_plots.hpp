#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "experiments/report/line_plot.hpp"
#include "experiments/report/request_samples.hpp"

namespace tokenyard {

using SizeOf = std::function<std::uint64_t(const RequestSample&)>;
using ValueOf = std::function<double(const RequestSample&)>;

/// The mean of `value` in each of at most `classes_max` classes of requests of like `size`, about
/// equally many in each (equal sizes are never parted). The classes are those of all groups
/// together, so that lines share their x, which is the class's mean size. With several runs in a
/// group a point is the mean over the runs, with its interval.
std::vector<Line> by_size(std::span<const RequestGroup> groups, const SizeOf& size,
                          const ValueOf& value, std::size_t classes_max = 10);

/// The mean of `value` for each tenant; x is the place in `names`, which is filled in the order of
/// first appearance.
std::vector<Line> by_tenant(std::span<const RequestGroup> groups, const ValueOf& value,
                            std::vector<std::string>& names);

/// The plots jct_by_output, jct_by_prompt, fairness_by_size and fairness_by_tenant.
LinePlot jct_by_output_plot();
LinePlot jct_by_prompt_plot();
LinePlot fairness_by_size_plot();
LinePlot fairness_by_tenant_plot(std::vector<std::string> tenants);

}  // namespace tokenyard
