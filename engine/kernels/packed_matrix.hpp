#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "engine/kernels/huge_buffer.hpp"
#include "engine/kernels/workers.hpp"
#include "engine/weights/tensor_view.hpp"

namespace tokenyard {

/// How weights are stored once packed, and with what they are multiplied. Sums are f32 always.
enum class GemmKind : std::uint8_t {
  f32,       ///< f32 weights and activations
  bf16,      ///< bf16 weights, widened to f32; f32 activations
  bf16_dot,  ///< bf16 weights; activations rounded to bf16; needs a CPU with AMX or AVX512-BF16
};

std::string_view gemm_kind_name(GemmKind kind);

/// Whether this CPU has a kernel for `kind` (`cpu_level()`); only bf16_dot can be lacking.
bool gemm_available(GemmKind kind);

struct GemmKernel;

/// A weight matrix W [rows, columns] (outputs by inputs) laid out for `multiply`: one or several
/// matrices of a checkpoint one below the other, so that queries, keys and values, or gate and up,
/// are one product. Packing copies; the views are not needed afterwards. It chooses the kernel by
/// `cpu_level()` of that moment and keeps to it. Read-only after that, so safe to share.
class PackedMatrix {
 public:
  /// Empty: no rows, not to be multiplied.
  PackedMatrix() = default;

  /// Packs `stacked`, which have rows, and columns as many as one another, on all workers. Weights
  /// of a bf16 kind are rounded to nearest even where they are stored more exactly.
  PackedMatrix(std::span<const TensorView> stacked, GemmKind kind, Workers& workers);
  PackedMatrix(const TensorView& matrix, GemmKind kind, Workers& workers)
      : PackedMatrix({&matrix, 1}, kind, workers) {}

  std::int64_t rows() const { return rows_; }
  std::int64_t columns() const { return columns_; }
  GemmKind kind() const { return kind_; }
  bool empty() const { return rows_ == 0; }
  /// What a product reads of it, padding included.
  std::size_t bytes() const { return panels_.bytes(); }

 private:
  friend void multiply(const PackedMatrix& matrix, struct InputRows x, struct OutputRows y,
                       Workers& workers, const struct Epilogue& epilogue);

  GemmKind kind_ = GemmKind::f32;
  const GemmKernel* kernel_ = nullptr;
  std::int64_t rows_ = 0;
  std::int64_t columns_ = 0;
  HugeBuffer panels_;
};

/// Rows of activations, `stride` elements apart. The memory is the caller's.
struct InputRows {
  const float* data = nullptr;
  std::int64_t rows = 0;
  std::int64_t stride = 0;
};

/// Rows of results, as many as there are of inputs.
struct OutputRows {
  float* data = nullptr;
  std::int64_t stride = 0;
};

/// What is done to a sum before it is written, in this order.
struct Epilogue {
  const float* bias = nullptr;  ///< one an output, added; or none
  bool add = false;             ///< the result is added to what is in y (a residual)
};

/// Y = X W^T, then the epilogue: X is [M, columns of W], Y is [M, rows of W]; they must not
/// overlap. Each output has one sum, to which its products are added with the input's index
/// ascending, so a row of Y has the same bits whatever the other rows, their number, its place
/// among them, and the number of workers are; workers share out the outputs, never a sum. Kinds and
/// CPU levels differ from one another in rounding. No rows of X: nothing is done. Uses the workers'
/// scratch memory.
void multiply(const PackedMatrix& matrix, InputRows x, OutputRows y, Workers& workers,
              const Epilogue& epilogue = {});

}  // namespace tokenyard
