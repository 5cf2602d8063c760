#include "engine/architectures/checkpoint_reader.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "sim/kernel/input_error.hpp"
#include "sim/kernel/invariant.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {
namespace {

constexpr std::string_view kHead = "lm_head.weight";

[[noreturn]] void refuse(const std::string& file, std::string_view tensor, std::string_view what) {
  throw InputError(file, 0, fmt::format("tensor \"{}\"", printable(tensor)), what);
}

std::optional<ElementType> element_type(std::string_view dtype) {
  if (dtype == "F32") return ElementType::f32;
  if (dtype == "F16") return ElementType::f16;
  if (dtype == "BF16") return ElementType::bf16;
  return std::nullopt;
}

/// Only of a tensor that `take` has let pass.
ElementType type_of(const StoredTensor& tensor) {
  return *element_type(tensor.entry.dtype);
}

bool same_shape(const std::vector<std::uint64_t>& found,
                std::initializer_list<std::int64_t> expected) {
  return std::equal(found.begin(), found.end(), expected.begin(), expected.end(),
                    [](std::uint64_t a, std::int64_t b) { return std::cmp_equal(a, b); });
}

}  // namespace

CheckpointReader::CheckpointReader(std::shared_ptr<const SafetensorsCheckpoint> checkpoint)
    : checkpoint_(*checkpoint),
      memory_(std::make_shared<Memory>()),
      taken_(checkpoint->tensors().size()) {
  memory_->checkpoint = std::move(checkpoint);
}

void CheckpointReader::find_prefix(std::initializer_list<std::string_view> prefixes,
                                   std::string_view known) {
  for (const std::string_view prefix : prefixes) {
    prefix_ = prefix;
    if (checkpoint_.find(prefix_ + std::string(known)) != nullptr) return;
  }
  refuse(
      checkpoint_.path(), known,
      fmt::format("missing; its name may begin with one of \"{}\"", fmt::join(prefixes, "\", \"")));
}

const StoredTensor& CheckpointReader::take(std::string_view name,
                                           std::initializer_list<std::int64_t> shape) {
  const std::string full = name == kHead ? std::string(name) : prefix_ + std::string(name);
  const StoredTensor* tensor = checkpoint_.find(full);
  const std::string expected = fmt::format("[{}]", fmt::join(shape, ", "));
  if (tensor == nullptr) {
    refuse(checkpoint_.path(), full, fmt::format("missing; expected {}", expected));
  }
  if (!same_shape(tensor->entry.shape, shape)) {
    refuse(*tensor->file, full,
           fmt::format("expected the shape {}, found [{}]", expected,
                       fmt::join(tensor->entry.shape, ", ")));
  }
  if (!element_type(tensor->entry.dtype)) {
    refuse(*tensor->file, full,
           fmt::format("expected the type F32, F16 or BF16, found {}",
                       printable(tensor->entry.dtype)));
  }
  taken_[static_cast<std::size_t>(tensor - checkpoint_.tensors().data())] = true;
  return *tensor;
}

TensorView CheckpointReader::matrix(std::string_view name, std::int64_t rows,
                                    std::int64_t columns) {
  const StoredTensor& tensor = take(name, {rows, columns});
  return TensorView::plain(tensor.data, type_of(tensor), rows, columns);
}

TensorView CheckpointReader::transposed(std::string_view name, std::int64_t rows,
                                        std::int64_t columns) {
  const StoredTensor& tensor = take(name, {columns, rows});
  return TensorView::transposed(tensor.data, type_of(tensor), rows, columns);
}

TensorView CheckpointReader::vector(std::string_view name, std::int64_t elements) {
  const StoredTensor& tensor = take(name, {elements});
  return TensorView::plain(tensor.data, type_of(tensor), 1, elements);
}

TensorView CheckpointReader::vector_head_part(std::string_view name, std::int64_t elements,
                                              std::int64_t part, std::int64_t parts,
                                              std::int64_t head_elements) {
  const TensorView whole = vector(name, elements);
  invariant(elements % (parts * head_elements) == 0, "a part of fused heads",
            "{} elements, {} a head", elements, head_elements);
  const auto head_bytes = static_cast<std::size_t>(head_elements) * element_bytes(whole.type);
  const auto heads = static_cast<std::size_t>(elements / (parts * head_elements));
  auto& copy = memory_->copies.emplace_back(new std::byte[heads * head_bytes]);
  for (std::size_t i = 0; i < heads; ++i) {
    const std::size_t from = (i * static_cast<std::size_t>(parts) + static_cast<std::size_t>(part));
    std::memcpy(copy.get() + i * head_bytes, whole.data + from * head_bytes, head_bytes);
  }
  return TensorView::plain(copy.get(), whole.type, 1, elements / parts);
}

void CheckpointReader::norm(std::string_view name, const ModelConfig& config, TensorView& scale,
                            TensorView& shift) {
  scale = vector(fmt::format("{}.weight", name), config.hidden);
  if (config.norm_shift) shift = vector(fmt::format("{}.bias", name), config.hidden);
}

void CheckpointReader::linear(std::string_view name, std::int64_t rows, std::int64_t columns,
                              bool has_bias, TensorView& matrix_out, TensorView& bias) {
  matrix_out = matrix(fmt::format("{}.weight", name), rows, columns);
  if (has_bias) bias = vector(fmt::format("{}.bias", name), rows);
}

void CheckpointReader::head(const ModelConfig& config, TensorView& head) {
  if (!config.tied_head) head = matrix(kHead, config.vocabulary, config.hidden);
}

void CheckpointReader::refuse_others(std::initializer_list<std::string_view> ignored) const {
  for (std::size_t i = 0; i < taken_.size(); ++i) {
    if (taken_[i]) continue;
    const StoredTensor& tensor = checkpoint_.tensors()[i];
    const std::string& name = tensor.entry.name;
    const auto ends = [&](std::string_view ending) { return name.ends_with(ending); };
    if (name == kHead || std::any_of(ignored.begin(), ignored.end(), ends)) continue;
    refuse(*tensor.file, name, "is no part of the model that config.json describes");
  }
}

}  // namespace tokenyard
