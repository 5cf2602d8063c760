#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/weights/model_weights.hpp"
#include "engine/weights/safetensors.hpp"

namespace tokenyard {

/// Takes tensors out of a checkpoint by name, checks type and shape, and remembers which were
/// taken. Every refusal is an `InputError` that names file and tensor. For one thread.
class CheckpointReader {
 public:
  explicit CheckpointReader(std::shared_ptr<const SafetensorsCheckpoint> checkpoint);

  /// Which of the prefixes the names of this checkpoint have, told by the tensor `known`; "" may be
  /// one of them. From then on names are without it.
  void find_prefix(std::initializer_list<std::string_view> prefixes, std::string_view known);

  /// A matrix of which the file holds `rows` rows of `columns` elements.
  TensorView matrix(std::string_view name, std::int64_t rows, std::int64_t columns);
  /// The same result of a matrix that is stored the other way round.
  TensorView transposed(std::string_view name, std::int64_t rows, std::int64_t columns);
  /// One row of `elements`.
  TensorView vector(std::string_view name, std::int64_t elements);
  /// A vector cut like `TensorView::head_part` cuts rows. It lies scattered in the file, so this
  /// one is a copy, which `memory` keeps.
  TensorView vector_head_part(std::string_view name, std::int64_t elements, std::int64_t part,
                              std::int64_t parts, std::int64_t head_elements);

  /// Scale `NAME.weight` of a norm and, where the config has norms shift, shift `NAME.bias`.
  void norm(std::string_view name, const ModelConfig& config, TensorView& scale, TensorView& shift);
  /// A matrix `NAME.weight` and, if it has one, its bias `NAME.bias`.
  void linear(std::string_view name, std::int64_t rows, std::int64_t columns, bool has_bias,
              TensorView& matrix, TensorView& bias);
  /// `lm_head.weight`, which has no prefix; nothing where the head is tied.
  void head(const ModelConfig& config, TensorView& head);

  /// Refuses a tensor that was never taken, for a model with it would be another than ours: unless
  /// its name ends in one of `ignored` (buffers that are no weights), or is the head of a model
  /// whose head is tied.
  void refuse_others(std::initializer_list<std::string_view> ignored) const;

  /// Keeps alive what the views show.
  std::shared_ptr<const void> memory() const { return memory_; }

 private:
  struct Memory {
    std::shared_ptr<const SafetensorsCheckpoint> checkpoint;
    std::vector<std::unique_ptr<std::byte[]>> copies;
  };

  const StoredTensor& take(std::string_view name, std::initializer_list<std::int64_t> shape);

  const SafetensorsCheckpoint& checkpoint_;
  std::shared_ptr<Memory> memory_;
  std::string prefix_;
  std::vector<bool> taken_;  ///< by the tensor's place in the checkpoint
};

}  // namespace tokenyard
