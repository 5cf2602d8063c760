#include "experiments/report/request_samples.hpp"

#include <algorithm>

#include "experiments/report/result_csv.hpp"

namespace tokenyard {

namespace {

constexpr std::uint64_t kMostTokens = 0xffff'ffff;

std::uint32_t tokens_of(const ResultCsv& csv, std::size_t column) {
  const std::uint64_t count = csv.count(column);
  if (count > kMostTokens) csv.refuse(column, "is too many tokens");
  return static_cast<std::uint32_t>(count);
}

std::uint32_t tenant_of(std::string_view name, std::vector<std::string>& tenants) {
  // From the end: neighbours often share a tenant, and a new one was put there.
  const auto found = std::find(tenants.rbegin(), tenants.rend(), name);
  if (found == tenants.rend()) {
    tenants.emplace_back(name);
    return static_cast<std::uint32_t>(tenants.size() - 1);
  }
  return static_cast<std::uint32_t>(tenants.rend() - found - 1);
}

}  // namespace

void read_requests(const std::filesystem::path& folder, RequestGroup& group) {
  ResultCsv csv(folder / "requests.csv");
  const std::size_t status = csv.column("status"), jct_s = csv.column("jct_s"),
                    arrival_s = csv.column("arrival_s"), ttft_s = csv.column("ttft_s"),
                    tpot_s = csv.column("tpot_s"), prefill_s = csv.column("prefill_s"),
                    decode_s = csv.column("decode_s"), prompt = csv.column("prompt_tokens"),
                    output = csv.column("output_tokens"), tenant = csv.column("tenant");
  RunSamples run;
  run.folder = folder;
  while (csv.next()) {
    const std::string_view how = csv.text(status);
    if (how == "rejected") {
      ++run.rejected;
    } else if (how == "cancelled") {
      ++run.cancelled;
    } else if (how == "finished") {
      RequestSample sample;
      sample.jct_s = csv.number(jct_s);
      if (sample.jct_s < 0) csv.refuse(jct_s, "is negative");
      sample.arrival_s = csv.number(arrival_s);
      sample.ttft_s = static_cast<float>(csv.number(ttft_s));
      sample.tpot_s = static_cast<float>(csv.number_or_empty(tpot_s).value_or(0));
      sample.ran_s = static_cast<float>(csv.number(prefill_s) + csv.number(decode_s));
      sample.prompt_tokens = tokens_of(csv, prompt);
      sample.output_tokens = tokens_of(csv, output);
      sample.tenant = tenant_of(csv.text(tenant), group.tenants);
      run.finished.push_back(sample);
    } else {
      csv.refuse(status, "is none of finished, rejected, cancelled");
    }
  }
  group.runs.push_back(std::move(run));
}

}  // namespace tokenyard
