#pragma once
// A folder of client records in the form of ServeGen (Xiang et al., "ServeGen: Workload
// Characterization and Generation of Large Language Model Serving in Production", NSDI 2026):
// chunk-N-trace.csv and chunk-N-dataset.json for each client N.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/kernel/rng.hpp"
#include "traces/lengths.hpp"
#include "traces/renewal_gap.hpp"

namespace tokenyard {

/// How long a row of chunk-N-trace.csv holds, and a window of chunk-N-dataset.json.
inline constexpr double kServegenRateWindow_s = 600;
inline constexpr double kServegenLengthWindow_s = 21'600;

/// Whole numbers by probability. Immutable.
class ServegenValues {
 public:
  /// Parses "{value: probability, ...}" with values from 0 to `most`; throws `InputError` with a
  /// message that names no place.
  ServegenValues(std::string_view text, std::int64_t most);

  bool empty() const { return values_.empty(); }
  std::int64_t draw(Rng& rng) const;

 private:
  std::vector<std::int64_t> values_;
  std::vector<double> cumulative_;
};

/// The lengths of a client's requests for some hours: independent distributions of the prompt's
/// text, of how many images, audio clips and videos there are and how many tokens each of them
/// takes, and of the output.
class ServegenLengths {
 public:
  struct Part {
    ServegenValues count, tokens;
  };

  ServegenLengths(double begin_s, ServegenValues prompt, std::vector<Part> parts,
                  ServegenValues output)
      : begin_s_(begin_s),
        prompt_(std::move(prompt)),
        parts_(std::move(parts)),
        output_(std::move(output)) {}

  double begin_s() const { return begin_s_; }
  /// Either may be 0.
  Lengths draw(Rng& rng) const;

 private:
  double begin_s_;
  ServegenValues prompt_;
  std::vector<Part> parts_;
  ServegenValues output_;
};

/// A window in which a client sends requests.
struct ServegenRate {
  double begin_s = 0;
  double requests_per_s = 0;  ///< above 0
  UnitGap gap;
};

struct ServegenClient {
  std::int64_t number = 0;          ///< N of its files
  std::vector<ServegenRate> rates;  ///< by time; silent windows are left out
  bool has_dataset = false;
  std::vector<ServegenLengths> lengths;  ///< by time; windows without lengths are left out

  /// Those in force at a time; nullptr: none.
  const ServegenLengths* lengths_at(double time_s) const;
};

/// Reads all clients of a folder, or of an archive of one (.tar, .tar.gz), by number. A client may
/// lack its dataset. A row's rate is what was counted in its window; it is taken together with the
/// shape of the fitted gaps, and not with their scale, which leaves out the quiet before the first
/// and after the last request of a window. Throws an `InputError` that names the file, the line and
/// the field.
std::vector<ServegenClient> read_servegen_folder(const std::string& folder);

}  // namespace tokenyard
