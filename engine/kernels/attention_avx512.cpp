// Attention over pages for AVX-512.

#if defined(__AVX512F__)

#include "engine/kernels/attention_impl.hpp"

namespace tokenyard::avx512 {

const AttentionKernel attention_kernel = {attend_task};

}  // namespace tokenyard::avx512

#endif
