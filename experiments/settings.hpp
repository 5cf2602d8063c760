#pragma once
// The settings of a run: names, ranges, defaults and help in one table, from which the command
// line, the system files and run.json all read.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sim/server/settings.hpp"

namespace tokenyard {

/// A replica that fails, and comes back after so long, or never.
struct FailReplica {
  std::int64_t replica = 0;
  double at_s = 0;
  std::optional<double> for_s;
};

/// All settings of one run, resolved. A value type.
struct Settings {
  // The machine.
  std::string executor = "model";
  std::string clock = "simulated";
  std::string cost_file;    ///< empty: from model and device
  std::string model_name;   ///< empty: none
  std::string device_name;  ///< empty: none
  std::int64_t tp = 1;
  std::int64_t pp = 1;
  std::string topology;  ///< a name or a file; empty: the device's own links
  std::string weights;  ///< of the engine; empty: none
  std::string dtype = "auto";
  std::string kv_cache_dtype = "auto";
  std::int64_t threads = 0;  ///< that compute; 0: one a core

  // Several servers behind a router.
  std::int64_t replicas = 1;
  std::int64_t prefill_replicas = 0;  ///< of these; 0: each prefills and decodes
  std::string router = "round-robin";
  std::vector<FailReplica> failures;

  // The server.
  ServerSettings server;
  bool derive_host_blocks = true;  ///< no number was given
  std::string predictor = "oracle";
  std::string guard;  ///< a starvation guard around the policy, "after_ms=300"; empty: none

  // The workload and what is kept of it.
  std::optional<double> request_rate;
  std::optional<std::int64_t> limit;
  std::optional<double> resample_block_s;  ///< of a recorded trace, see `resample`
  double warmup_s = 0;
  bool find_warmup = false;  ///< by MSER-5, instead of `warmup_s`
};

/// One value as it was given: where it came from is for messages.
struct GivenSetting {
  std::string name;   ///< as on the command line, without dashes in front ("max-num-seqs")
  std::string value;  ///< a flag's is "true" or "false"
  std::string place;  ///< "--max-num-seqs" or "vllm.json:7: /settings/max_num_seqs"
};

/// A row of the table of settings.
struct SettingEntry {
  const char* name;
  bool is_flag;
  const char* help;  ///< with range and default
  /// Reads the value into `settings`; bad input is an `InputError` at its place.
  void (*apply)(Settings& settings, const GivenSetting& given);
  /// The value in force, as text.
  std::string (*show)(const Settings& settings);
  bool repeats = false;  ///< may be given several times; each adds to the others
};

std::span<const SettingEntry> setting_entries();

/// Applies `given` in its order: later values win. An unknown name is an `InputError`.
void apply_settings(Settings& settings, std::span<const GivenSetting> given);

}  // namespace tokenyard
