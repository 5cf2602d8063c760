// Norms and activations for any CPU.

#include "engine/kernels/elementwise_impl.hpp"

namespace tokenyard::baseline {

const ElementwiseKernel elementwise_kernel = {layer_norm_row, rms_norm_row, activate_row,
                                              exponentiate_row};

}  // namespace tokenyard::baseline
