#include "experiments/costs/profile_grid.hpp"

#include <algorithm>
#include <cmath>

#include "sim/kernel/rng.hpp"

namespace tokenyard {

namespace {

constexpr std::int64_t kShortChunk = 16;
constexpr int kHeldOut = 24;

/// least, then each power of two and its one and a half up to most, and most itself.
std::vector<std::int64_t> steps(std::int64_t least, std::int64_t most, bool middles) {
  std::vector<std::int64_t> found;
  if (most < least) return found;
  for (std::int64_t power = 1; power < most; power *= 2) {
    if (power >= least) found.push_back(power);
    const std::int64_t middle = power + power / 2;
    if (middles && power >= 2 && middle >= least && middle < most) found.push_back(middle);
  }
  if (found.empty() || found.front() != least) found.insert(found.begin(), least);
  if (found.back() != most) found.push_back(most);
  return found;
}

class Grid {
 public:
  explicit Grid(const ProfileLimits& limits) : limits_(limits) {}

  void add(ProfilePart part, double x, double y, std::vector<ProbeSequence> sequences) {
    if (!fits(sequences)) return;
    ProfilePoint point{part, x, y, std::move(sequences), {}};
    point.load = load_of(point.sequences);
    points_.push_back(std::move(point));
  }

  bool fits(const std::vector<ProbeSequence>& sequences) const {
    std::int64_t blocks = 0;
    for (const ProbeSequence& each : sequences) {
      const std::int64_t tokens = each.computed + each.new_tokens;
      // The engine wants room for a token behind the prompt.
      if (tokens >= limits_.context) return false;
      blocks += (tokens + limits_.block_tokens - 1) / limits_.block_tokens;
    }
    return !sequences.empty() && blocks <= limits_.blocks;
  }

  std::vector<ProfilePoint> take() { return std::move(points_); }

 private:
  ProfileLimits limits_;
  std::vector<ProfilePoint> points_;
};

void add_tokens(Grid& grid, std::int64_t most) {
  for (const std::int64_t tokens : steps(1, most, true)) {
    std::vector<ProbeSequence> chunks;
    for (std::int64_t left = tokens; left > 0; left -= kShortChunk) {
      chunks.push_back({0, std::min(left, kShortChunk), false});
    }
    grid.add(ProfilePart::tokens, static_cast<double>(tokens), 0, std::move(chunks));
  }
}

/// Evenly in the logarithm, from least to most.
std::int64_t draw(Rng& rng, std::int64_t least, std::int64_t most) {
  const double part = static_cast<double>(rng() >> 11) * 0x1p-53;
  const double ratio = static_cast<double>(most + 1) / static_cast<double>(least);
  return std::clamp(static_cast<std::int64_t>(static_cast<double>(least) * std::pow(ratio, part)),
                    least, most);
}

void add_held_out(Grid& grid, const ProfileLimits& limits, std::uint64_t seed) {
  const std::int64_t most = limits.context - 1;
  for (int i = 0; i < kHeldOut; ++i) {
    Rng rng = named_stream(seed, "held-out", static_cast<std::uint64_t>(i));
    std::vector<ProbeSequence> sequences;
    // A third each: decodes, prompts, both.
    if (i % 3 != 1) {
      const std::int64_t decodes = draw(rng, 1, limits.max_sequences);
      for (std::int64_t n = 0; n < decodes; ++n) {
        sequences.push_back({draw(rng, 1, most) - 1, 1, true});
        if (!grid.fits(sequences)) sequences.pop_back();
      }
    }
    if (i % 3 != 0) {
      std::int64_t left = limits.max_batched_tokens;
      for (std::int64_t n = draw(rng, 1, 4); n > 0; --n) {
        const std::int64_t chunk = draw(rng, 2, std::max<std::int64_t>(2, most / 2));
        const std::int64_t before = rng() % 2 == 0 ? 0 : draw(rng, 1, most / 2);
        if (chunk > left) continue;
        sequences.push_back({before, chunk, true});
        if (grid.fits(sequences))
          left -= chunk;
        else
          sequences.pop_back();
      }
    }
    grid.add(ProfilePart::held_out, 0, 0, std::move(sequences));
  }
}

}  // namespace

IterationLoad load_of(const std::vector<ProbeSequence>& sequences) {
  IterationLoad load;
  for (const ProbeSequence& each : sequences) {
    const std::int64_t context = each.computed + each.new_tokens;
    if (each.new_tokens == 1 && each.yields) {
      load.add_decode(context);
    } else {
      load.add_prefill(each.new_tokens, context);
    }
  }
  return load;
}

std::vector<ProfilePoint> profile_grid(const ProfileLimits& limits, std::uint64_t seed) {
  Grid grid(limits);
  const std::int64_t most = limits.context - 1;
  const std::int64_t longest = std::min(most, limits.max_batched_tokens);
  add_tokens(grid, limits.max_batched_tokens);
  for (const std::int64_t chunk : steps(1, longest, false)) {
    grid.add(ProfilePart::prefill, static_cast<double>(chunk), 0, {{0, chunk, true}});
    for (const std::int64_t before : steps(64, most - chunk, false)) {
      grid.add(ProfilePart::prefill, static_cast<double>(chunk), static_cast<double>(before),
               {{before, chunk, true}});
    }
  }
  constexpr std::int64_t kShortContext = 2;
  std::vector<std::int64_t> contexts = steps(std::min<std::int64_t>(16, most), most, false);
  if (contexts.front() > kShortContext) contexts.insert(contexts.begin(), kShortContext);
  for (const std::int64_t sequences : steps(1, limits.max_sequences, false)) {
    for (const std::int64_t context : contexts) {
      grid.add(
          ProfilePart::decode, static_cast<double>(sequences), static_cast<double>(context),
          std::vector<ProbeSequence>(static_cast<std::size_t>(sequences), {context - 1, 1, true}));
    }
  }
  add_held_out(grid, limits, seed);
  return grid.take();
}

}  // namespace tokenyard
