#include "engine/kernels/packed_matrix.hpp"

#include "engine/kernels/cpu_features.hpp"
#include "engine/kernels/gemm_kernel.hpp"
#include "engine/kernels/panel_packing.hpp"
#include "sim/kernel/invariant.hpp"

namespace tokenyard {
namespace {

/// Products and sums of a multiplication that one worker has done before others would have begun.
constexpr std::int64_t kWorkForOne = 1 << 15;

std::int64_t blocks_of(std::int64_t count, std::int64_t block) {
  return (count + block - 1) / block;
}

/// The best kernel on this CPU; null where there is none.
const GemmKernel* find_kernel(GemmKind kind) {
#if defined(__x86_64__)
  const CpuLevel level = cpu_level();
  if (kind == GemmKind::bf16_dot) {
    if (level >= CpuLevel::amx_bf16) return &amx::kernel;
    return level >= CpuLevel::avx512_bf16 ? &avx512_bf16::kernel : nullptr;
  }
  const bool f32 = kind == GemmKind::f32;
  if (level >= CpuLevel::avx512) return f32 ? &avx512::f32_kernel : &avx512::bf16_kernel;
  if (level >= CpuLevel::avx2) return f32 ? &avx2::f32_kernel : &avx2::bf16_kernel;
#endif
  if (kind == GemmKind::bf16_dot) return nullptr;
  return kind == GemmKind::f32 ? &baseline::f32_kernel : &baseline::bf16_kernel;
}

}  // namespace

std::string_view gemm_kind_name(GemmKind kind) {
  switch (kind) {
    case GemmKind::f32:
      return "f32";
    case GemmKind::bf16:
      return "bf16";
    case GemmKind::bf16_dot:
      return "bf16_dot";
  }
  return "?";
}

bool gemm_available(GemmKind kind) {
  return find_kernel(kind) != nullptr;
}

PackedMatrix::PackedMatrix(std::span<const TensorView> stacked, GemmKind kind, Workers& workers)
    : kind_(kind), kernel_(find_kernel(kind)) {
  invariant(kernel_ != nullptr, "PackedMatrix", "this CPU has no kernel for {}",
            gemm_kind_name(kind));
  invariant(!stacked.empty(), "PackedMatrix", "no matrix to pack");
  columns_ = stacked.front().columns;
  for (const TensorView& view : stacked) {
    invariant(!view.empty() && view.rows > 0 && view.columns == columns_ && columns_ > 0,
              "PackedMatrix", "a matrix of {} x {} in a stack of {} columns", view.rows,
              view.columns, columns_);
    rows_ += view.rows;
  }
  const std::int64_t panels = blocks_of(rows_, kernel_->panel_columns);
  const std::size_t each = panel_bytes(kernel_->format, kernel_->panel_columns, columns_);
  panels_ = HugeBuffer(static_cast<std::size_t>(panels) * each);
  workers.run([&](int worker, int count) {
    const Part part = part_of(panels, worker, count);
    for (std::int64_t panel = part.begin; panel < part.end; ++panel) {
      pack_panel(stacked, kernel_->format, kernel_->panel_columns, panel,
                 panels_.data() + static_cast<std::size_t>(panel) * each);
    }
  });
}

void multiply(const PackedMatrix& matrix, InputRows x, OutputRows y, Workers& workers,
              const Epilogue& epilogue) {
  invariant(!matrix.empty(), "multiply", "an empty matrix");
  if (x.rows == 0) return;
  invariant(x.rows == 1 || (x.stride >= matrix.columns_ && y.stride >= matrix.rows_), "multiply",
            "rows of {} and {} elements in strides of {} and {}", matrix.columns_, matrix.rows_,
            x.stride, y.stride);
  const GemmKernel& kernel = *matrix.kernel_;
  const auto share_out = [&](const auto& work) {
    if (x.rows * matrix.rows_ * matrix.columns_ <= kWorkForOne) {
      work(0, 1);
    } else {
      workers.run(work);
    }
  };

  const std::int64_t inner_blocks = blocks_of(matrix.columns_, kernel.pack_block);
  const auto* packed = reinterpret_cast<const std::byte*>(x.data);
  if (x.rows > 1 || kernel.packs_single_row) {
    const std::int64_t elements =
        blocks_of(x.rows, kernel.row_block) * kernel.row_block * inner_blocks * kernel.pack_block;
    std::byte* memory =
        workers.scratch(static_cast<std::size_t>(elements * kernel.packed_element_bytes));
    share_out([&](int worker, int count) {
      const Part part = part_of(inner_blocks, worker, count);
      kernel.pack({.x = x.data,
                   .x_stride = x.stride,
                   .rows = x.rows,
                   .inner = matrix.columns_,
                   .block_begin = part.begin,
                   .block_end = part.end,
                   .packed = memory});
    });
    packed = memory;
  }
  const std::int64_t panels = blocks_of(matrix.rows_, kernel.panel_columns);
  share_out([&](int worker, int count) {
    const Part part = part_of(panels, worker, count);
    kernel.multiply({.panels = matrix.panels_.data(),
                     .x = packed,
                     .y = y.data,
                     .y_stride = y.stride,
                     .rows = x.rows,
                     .columns = matrix.rows_,
                     .inner = matrix.columns_,
                     .panel_begin = part.begin,
                     .panel_end = part.end,
                     .bias = epilogue.bias,
                     .add = epilogue.add});
  });
}

}  // namespace tokenyard
