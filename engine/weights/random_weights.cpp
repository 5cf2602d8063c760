#include "engine/weights/random_weights.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "engine/architectures/architecture.hpp"
#include "engine/kernels/huge_buffer.hpp"
#include "engine/weights/tensor_list.hpp"
#include "sim/kernel/input_error.hpp"
#include "sim/kernel/rng.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {
namespace {

constexpr std::size_t kAlignment = 64;
/// Elements drawn from one stream, so that threads share out large tensors too.
constexpr std::size_t kPiece = std::size_t{1} << 18U;

/// What `random:` was asked for.
struct RandomChoice {
  const RandomShape* shape = nullptr;
  std::uint64_t seed = 1;
  ElementType type = ElementType::f32;
};

[[noreturn]] void refuse(std::string_view what, std::string_view why) {
  throw InputError(fmt::format("random:{}: {}", printable(what), why));
}

RandomChoice parse_choice(std::string_view what) {
  const auto parts = split(what, ',');
  std::vector<std::string> names;
  RandomChoice choice;
  for (const RandomShape& shape : random_shapes()) {
    names.emplace_back(shape.name);
    if (shape.name == parts[0]) choice.shape = &shape;
  }
  if (choice.shape == nullptr) {
    refuse(what, fmt::format("unknown model{}; known are {}", suggestion(parts[0], names),
                             fmt::join(names, ", ")));
  }
  std::string_view dtype = choice.shape->dtype;
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const auto number =
        parts[i].starts_with("seed=") ? parse_integer(parts[i].substr(5)) : std::nullopt;
    if (number && *number >= 0) {
      choice.seed = static_cast<std::uint64_t>(*number);
    } else if (parts[i] == "dtype=f32" || parts[i] == "dtype=bf16") {
      dtype = parts[i].substr(6);
    } else {
      refuse(what,
             fmt::format("expected seed=N or dtype=f32|bf16, found \"{}\"", printable(parts[i])));
    }
  }
  choice.type = dtype == "bf16" ? ElementType::bf16 : ElementType::f32;
  return choice;
}

std::shared_ptr<const HugeBuffer> allocate(std::size_t bytes, std::string_view what) {
  try {
    return std::make_shared<const HugeBuffer>(bytes);
  } catch (const std::bad_alloc&) {
    refuse(what, fmt::format("no memory for {} bytes of weights", bytes));
  }
}

/// Uniform values: mean - deviation x sqrt(3) to mean + deviation x sqrt(3).
struct Distribution {
  float mean = 0.0F;
  float deviation = 0.0F;
};

Distribution distribution_of(const TensorSlot& slot, const ModelConfig& config) {
  const float fan_in = 1.0F / std::sqrt(static_cast<float>(slot.columns));
  switch (slot.role) {
    case TensorRole::embedding:
    case TensorRole::positions:
    case TensorRole::head:
      return {0.0F, 1.0F};
    case TensorRole::score_matrix:
      return {0.0F, 2.0F * fan_in};
    case TensorRole::inner_matrix:
      return {0.0F, fan_in};
    case TensorRole::residual_matrix:
      return {0.0F, fan_in / std::sqrt(static_cast<float>(config.layers))};
    case TensorRole::bias:
    case TensorRole::shift:
      return {0.0F, 0.1F};
    case TensorRole::scale:
      return {1.0F, 0.1F};
    case TensorRole::final_scale:
      return {0.0F, 3.0F * fan_in};
  }
  return {};
}

std::uint16_t rounded_bf16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return static_cast<std::uint16_t>((bits + 0x7fffU + ((bits >> 16U) & 1U)) >> 16U);
}

/// Four values from each 64 bits, the lowest 16 first.
template <typename Element, typename Store>
void draw(Rng rng, Distribution values, std::span<Element> out, Store store) {
  const float step = values.deviation * std::sqrt(3.0F) / 32768.0F;
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (i % 4 == 0) bits = rng();
    const float level = static_cast<float>(bits & 0xffffU) - 32767.5F;
    out[i] = store(values.mean + level * step);
    bits >>= 16U;
  }
}

struct Piece {
  const TensorSlot* slot = nullptr;
  Distribution values;
  std::byte* data = nullptr;
  std::size_t index = 0;  ///< in its tensor
  std::size_t elements = 0;
};

void draw_piece(const Piece& piece, const RandomChoice& choice) {
  const Rng rng = named_stream(choice.seed, "weights/" + piece.slot->name, piece.index);
  // The pages were given out as bytes; what lies in them is of the type that is written.
  if (choice.type == ElementType::f32) {
    draw(rng, piece.values, std::span(reinterpret_cast<float*>(piece.data), piece.elements),
         [](float value) { return value; });
  } else {
    draw(rng, piece.values, std::span(reinterpret_cast<std::uint16_t*>(piece.data), piece.elements),
         rounded_bf16);
  }
}

/// Every piece is drawn from a stream of its own, so it is the same whoever draws it.
void draw_all(const std::vector<Piece>& pieces, const RandomChoice& choice) {
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t i = next++; i < pieces.size(); i = next++) draw_piece(pieces[i], choice);
  };
  const std::size_t helpers = std::min<std::size_t>(std::thread::hardware_concurrency(), 16);
  std::vector<std::jthread> threads;
  for (std::size_t i = 1; i < std::min(helpers, pieces.size()); ++i) threads.emplace_back(work);
  work();
}

}  // namespace

ModelConfig random_config(const RandomShape& shape) {
  const JsonObject file = JsonFile::parse(shape.config, std::string(shape.name));
  return find_architecture(file).read_config(file);
}

ModelWeights random_weights(std::string_view what) {
  const RandomChoice choice = parse_choice(what);
  ModelWeights weights;
  weights.config = random_config(*choice.shape);
  const auto slots = tensor_slots(weights);
  const std::size_t element = element_bytes(choice.type);
  const auto bytes_of = [&](const TensorSlot& slot) {
    const std::size_t bytes = static_cast<std::size_t>(slot.rows * slot.columns) * element;
    return (bytes + kAlignment - 1) / kAlignment * kAlignment;
  };
  std::size_t total = 0;
  for (const TensorSlot& slot : slots) total += bytes_of(slot);
  const auto memory = allocate(total, what);
  std::vector<Piece> pieces;
  std::byte* at = memory->data();
  for (const TensorSlot& slot : slots) {
    *slot.view = TensorView::plain(at, choice.type, slot.rows, slot.columns);
    const Distribution values = distribution_of(slot, weights.config);
    const auto elements = static_cast<std::size_t>(slot.rows * slot.columns);
    for (std::size_t first = 0; first < elements; first += kPiece) {
      pieces.push_back({&slot, values, at + first * element, first / kPiece,
                        std::min(kPiece, elements - first)});
    }
    at += bytes_of(slot);
  }
  draw_all(pieces, choice);
  weights.memory = memory;
  finish_weights(weights);
  return weights;
}

}  // namespace tokenyard
