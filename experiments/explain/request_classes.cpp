#include "experiments/explain/request_classes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>

#include "sim/kernel/input_error.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

namespace {

constexpr std::size_t kMostNamed = 7;  ///< as many as fit beside one another on a terminal

using KeyOf = std::function<std::int64_t(const TraceRequest&)>;

/// Gives each key its class: `order` has the keys in the order of the classes. Of more keys than
/// can be named the last share one class.
void assign(const TraceView& view, const KeyOf& key_of, const std::vector<std::int64_t>& order,
            const std::function<std::string(std::int64_t)>& name_of, RequestClasses& classes) {
  std::map<std::int64_t, std::uint32_t> class_of;
  const std::size_t named = order.size() > kMostNamed + 1 ? kMostNamed : order.size();
  for (std::size_t i = 0; i < order.size(); ++i) {
    class_of[order[i]] = static_cast<std::uint32_t>(std::min(i, named));
    if (i < named) classes.names.push_back(name_of(order[i]));
  }
  if (named < order.size()) {
    classes.names.push_back(fmt::format("{} others", order.size() - named));
  }
  for (std::size_t id = 0; id < view.size(); ++id) {
    const TraceView::Place place = view.place(id);
    classes.of_request.push_back(class_of.at(key_of(place.table()[place.at])));
  }
}

std::map<std::int64_t, std::int64_t> counts_of(const TraceView& view, const KeyOf& key_of) {
  std::map<std::int64_t, std::int64_t> counts;
  for (std::size_t id = 0; id < view.size(); ++id) {
    const TraceView::Place place = view.place(id);
    ++counts[key_of(place.table()[place.at])];
  }
  return counts;
}

constexpr std::int64_t kBounds[] = {16, 64, 256, 1024, 4096};

std::int64_t size_class(std::int64_t tokens) {
  return std::ranges::lower_bound(kBounds, tokens) - std::begin(kBounds);
}

std::string size_name(std::int64_t place) {
  const auto at = static_cast<std::size_t>(place);
  if (at == std::size(kBounds)) return fmt::format(">{}", kBounds[at - 1]);
  return fmt::format("{}-{}", at == 0 ? 1 : kBounds[at - 1] + 1, kBounds[at]);
}

}  // namespace

RequestClasses classify(const TraceView& view, const std::vector<std::string>& tenants,
                        const std::string& by) {
  RequestClasses classes;
  classes.by = by;
  KeyOf key_of;
  std::function<std::string(std::int64_t)> name_of = size_name;
  if (by == "output") {
    key_of = [](const TraceRequest& request) { return size_class(request.output_tokens); };
  } else if (by == "prompt") {
    key_of = [](const TraceRequest& request) { return size_class(request.input_tokens); };
  } else if (by == "priority") {
    key_of = [](const TraceRequest& request) { return std::int64_t{request.priority}; };
    name_of = [](std::int64_t priority) { return fmt::to_string(priority); };
  } else if (by == "tenant") {
    key_of = [](const TraceRequest& request) {
      return static_cast<std::int64_t>(index(request.tenant));
    };
    name_of = [&tenants](std::int64_t tenant) {
      const std::string& name = tenants.at(static_cast<std::size_t>(tenant));
      return name.empty() ? std::string("(none)") : name;
    };
  } else {
    throw InputError(fmt::format("--by: expected output, prompt, tenant or priority, found '{}'",
                                 printable(by)));
  }
  const std::map<std::int64_t, std::int64_t> counts = counts_of(view, key_of);
  std::vector<std::int64_t> order;
  for (const auto& [key, count] : counts) order.push_back(key);
  if (by == "tenant") {
    std::ranges::stable_sort(
        order, [&](std::int64_t a, std::int64_t b) { return counts.at(a) > counts.at(b); });
  }
  assign(view, key_of, order, name_of, classes);
  return classes;
}

}  // namespace tokenyard
