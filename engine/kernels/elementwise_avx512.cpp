// Norms and activations for AVX-512.

#if defined(__AVX512F__)

#include "engine/kernels/elementwise_impl.hpp"

namespace tokenyard::avx512 {

const ElementwiseKernel elementwise_kernel = {layer_norm_row, rms_norm_row, activate_row,
                                              exponentiate_row};

}  // namespace tokenyard::avx512

#endif
