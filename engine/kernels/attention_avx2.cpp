// Attention over pages for AVX2 and FMA.

#if defined(__AVX2__)

#include "engine/kernels/attention_impl.hpp"

namespace tokenyard::avx2 {

const AttentionKernel attention_kernel = {attend_task};

}  // namespace tokenyard::avx2

#endif
