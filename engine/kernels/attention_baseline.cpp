// Attention over pages for any CPU.

#include "engine/kernels/attention_impl.hpp"

namespace tokenyard::baseline {

const AttentionKernel attention_kernel = {attend_task};

}  // namespace tokenyard::baseline
