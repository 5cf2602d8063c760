#pragma once
// The constants of position schemes, worked out from a checkpoint's settings.

#include <cstdint>
#include <vector>

namespace tokenyard {

/// Radians a token for each of the head_dim / 2 pairs: base^(-2i / head_dim) (Su et al., arXiv
/// 2104.09864, section 3.2.2). `head_dim` is even.
std::vector<float> rope_frequencies(std::int32_t head_dim, double base);

/// How Llama 3.1 stretches its context (config.json, rope_type "llama3").
struct Llama3Scaling {
  double factor = 8.0;             ///< by which slow pairs are slowed further
  double low_frequency = 1.0;      ///< pairs of fewer turns in the old context are slowed wholly
  double high_frequency = 4.0;     ///< pairs of more turns are left alone
  double original_context = 8192;  ///< tokens
};

/// `rope_frequencies` with that scaling: between the two limits a pair is slowed in part, linearly
/// in the number of its turns over the original context (Dubey et al., The Llama 3 Herd of Models,
/// arXiv 2407.21783, and the reference code published with it).
std::vector<float> rope_frequencies(std::int32_t head_dim, double base,
                                    const Llama3Scaling& scaling);

/// ALiBi's slope for each head. With n heads, n a power of two, slope i of 1..n is
/// 2^(-bias_max x i / n); otherwise the slopes for the next power of two below come first, then
/// every other one of those for the power above (Press et al., arXiv 2108.12409, section 3 and the
/// code published with it; there `bias_max` is 8, MPT lets it be set).
std::vector<float> alibi_slopes(std::int32_t heads, double bias_max = 8.0);

}  // namespace tokenyard
