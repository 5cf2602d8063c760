#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/kernels/gemm_kernel.hpp"
#include "engine/weights/tensor_view.hpp"

namespace tokenyard {

/// Bytes of one panel of `panel_columns` outputs over `inner` inputs.
std::size_t panel_bytes(PanelFormat format, int panel_columns, std::int64_t inner);

/// Packs outputs [panel * panel_columns, (panel + 1) * panel_columns) of the matrices in `stacked`,
/// one below the other, to `out`, which holds `panel_bytes`. Outputs and inputs beyond the last are
/// zero. Weights are widened to f32 exactly, and for bf16 rounded to nearest even.
void pack_panel(std::span<const TensorView> stacked, PanelFormat format, int panel_columns,
                std::int64_t panel, std::byte* out);

}  // namespace tokenyard
