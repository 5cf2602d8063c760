// Norms and activations for AVX2 and FMA.

#if defined(__AVX2__)

#include "engine/kernels/elementwise_impl.hpp"

namespace tokenyard::avx2 {

const ElementwiseKernel elementwise_kernel = {layer_norm_row, rms_norm_row, activate_row,
                                              exponentiate_row};

}  // namespace tokenyard::avx2

#endif
