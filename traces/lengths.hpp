#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sim/kernel/rng.hpp"
#include "traces/generator_spec.hpp"

namespace tokenyard {

/// The lengths of one request, both at least 1.
struct Lengths {
  std::int64_t prompt = 1;
  std::int64_t output = 1;
};

/// Where the lengths of drawn requests come from. Stateless: a request's lengths depend on its own
/// stream alone.
class LengthSource {
 public:
  virtual ~LengthSource() = default;

  /// Draws from the request's stream ("lengths", keyed by the request).
  virtual Lengths draw(Rng& rng) const = 0;
};

/// "fixed:prompt=,output=" and so on, see `list_lengths`, or "dataset:FILE", where FILE is any
/// readable trace or a CSV with num_prefill_tokens and num_decode_tokens (the rest of the spec,
/// commas included, is the path). nullptr for "servegen": the arrivals bring them. Throws
/// `InputError`.
std::unique_ptr<LengthSource> make_lengths(std::string_view spec);

std::vector<GeneratorHelp> list_lengths();

}  // namespace tokenyard
