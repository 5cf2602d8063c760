#pragma once
// What plots are made of: the requests of result folders, read back.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace tokenyard {

/// One request that finished. 40 bytes, for runs have millions.
struct RequestSample {
  double arrival_s = 0;
  double jct_s = 0;
  float ttft_s = 0;
  float tpot_s = 0;  ///< 0 where there is no second token
  float ran_s = 0;   ///< in batches: prefill_s + decode_s
  std::uint32_t prompt_tokens = 0;
  std::uint32_t output_tokens = 0;
  std::uint32_t tenant = 0;  ///< place in `RequestGroup::tenants`

  double finish_s() const { return arrival_s + jct_s; }
  /// Time in the system over time in batches: 1 for who never waited.
  double stretch() const { return ran_s > 0 ? jct_s / ran_s : 1; }
};

/// The requests of one run.
struct RunSamples {
  std::filesystem::path folder;         ///< LABEL/ of the run
  std::vector<RequestSample> finished;  ///< in the order of arrival
  std::int64_t rejected = 0, cancelled = 0;
};

/// One policy, system and variant; its seeds.
struct RequestGroup {
  std::string label;  ///< without the seed; a clairvoyant one says so
  std::vector<RunSamples> runs;
  std::vector<std::string> tenants;  ///< names, "" for requests without one
};

/// Reads requests.csv of `folder` as a further run of `group`. Throws `InputError` with file, line
/// and column for what is not as `run` writes it.
void read_requests(const std::filesystem::path& folder, RequestGroup& group);

}  // namespace tokenyard
