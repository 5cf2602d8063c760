#include "experiments/compare/request_pairs.hpp"

#include <algorithm>

#include "experiments/report/result_csv.hpp"
#include "sim/kernel/input_error.hpp"

namespace tokenyard {

const std::vector<std::string>& latency_names() {
  static const std::vector<std::string> names = {"jct_s", "ttft_s", "tpot_s",
                                                 "normalized_latency_s"};
  return names;
}

namespace {

/// One requests.csv, row by row.
class Requests {
 public:
  explicit Requests(const std::filesystem::path& file)
      : csv_(file),
        id_(csv_.column("request_id")),
        arrival_(csv_.column("arrival_s")),
        status_(csv_.column("status")) {
    for (const std::string& name : latency_names()) latencies_.push_back(csv_.column(name));
  }

  bool next() { return csv_.next(); }
  std::string id() const { return std::string(csv_.text(id_)); }
  double arrival_s() const { return csv_.number(arrival_); }
  bool finished() const { return csv_.text(status_) == "finished"; }
  std::vector<std::optional<double>> latencies() const {
    std::vector<std::optional<double>> values;
    for (const std::size_t column : latencies_) values.push_back(csv_.number_or_empty(column));
    return values;
  }
  [[noreturn]] void refuse(std::string_view message) const { csv_.refuse(id_, message); }

 private:
  ResultCsv csv_;
  std::size_t id_, arrival_, status_;
  std::vector<std::size_t> latencies_;
};

}  // namespace

RequestPairs read_request_pairs(const std::filesystem::path& base,
                                const std::filesystem::path& candidate) {
  Requests first(base), second(candidate);
  RequestPairs pairs;
  while (first.next()) {
    if (!second.next() || first.id() != second.id()) {
      first.refuse("is not in the same row of the other folder: the traces differ");
    }
    if (!first.finished() || !second.finished()) {
      pairs.one_sided += first.finished() != second.finished() ? 1 : 0;
      continue;
    }
    pairs.both.push_back({first.id(), first.arrival_s(), first.latencies(), second.latencies()});
  }
  if (second.next()) second.refuse("is not in the base: the traces differ");
  return pairs;
}

std::optional<RelativeChange> bootstrap_metric(const RequestPairs& pairs, std::string_view metric) {
  const auto underscore = metric.find('_');
  if (underscore == std::string_view::npos) return std::nullopt;
  const std::string_view what = metric.substr(0, underscore);
  const std::string_view latency = metric.substr(underscore + 1);
  const auto& names = latency_names();
  const auto found = std::find(names.begin(), names.end(), latency);
  if (found == names.end()) return std::nullopt;
  const auto column = static_cast<std::size_t>(found - names.begin());
  Statistic statistic = mean_statistic();
  if (what == "max") return std::nullopt;  // a maximum has no bootstrap
  if (what != "mean") {
    const double percent = std::stod(std::string(what.substr(1)));
    constexpr double kHundred = 100;
    statistic = quantile_statistic(percent / kHundred);
  }
  std::vector<PairedSample> samples;
  for (const RequestPair& pair : pairs.both) {
    if (!pair.base[column] || !pair.candidate[column]) continue;
    samples.push_back({pair.arrival_s, *pair.base[column], *pair.candidate[column]});
  }
  return block_bootstrap_change(samples, statistic, 1);
}

}  // namespace tokenyard
