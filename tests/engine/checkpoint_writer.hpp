#pragma once
// Writes safetensors files and Hugging Face folders for tests, right ones and wrong ones.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/weights/model_weights.hpp"
#include "tests/engine/weights_support.hpp"

namespace tokenyard::test {

/// The file's text: the header's length, the header, the data.
inline std::string safetensors_text(std::string_view header, std::string_view data) {
  std::string text;
  for (std::size_t i = 0; i < 8; ++i) {
    text += static_cast<char>(static_cast<std::uint64_t>(header.size()) >> (8 * i) & 0xffU);
  }
  return text.append(header).append(data);
}

/// Collects tensors.
class CheckpointWriter {
 public:
  /// f32 values `first`, `first` + 1 and so on.
  CheckpointWriter& add(std::string_view name, const std::vector<std::int64_t>& shape,
                        float first = 0.0F) {
    std::string bytes;
    std::int64_t count = 1;
    for (const std::int64_t dimension : shape) count *= dimension;
    for (std::int64_t i = 0; i < count; ++i) {
      const float value = first + static_cast<float>(i);
      bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
    return add_bytes(name, "F32", shape, bytes);
  }
  CheckpointWriter& add_bytes(std::string_view name, std::string_view dtype,
                              const std::vector<std::int64_t>& shape, std::string_view bytes) {
    header_ += fmt::format(R"({}"{}":{{"dtype":"{}","shape":[{}],"data_offsets":[{},{}]}})",
                           header_.empty() ? "" : ",", name, dtype, fmt::join(shape, ","),
                           data_.size(), data_.size() + bytes.size());
    data_ += bytes;
    return *this;
  }

  std::string text() const {
    return safetensors_text("{\"__metadata__\":{\"format\":\"pt\"}," + header_ + "}", data_);
  }

 private:
  std::string header_;
  std::string data_;
};

/// A Hugging Face folder with one file of tensors.
class ModelFolder {
 public:
  ModelFolder(std::string config, const CheckpointWriter& tensors) : config_(std::move(config)) {
    folder_.write("config.json", config_);
    folder_.write("model.safetensors", tensors.text());
  }

  const TemporaryFolder& files() const { return folder_; }
  ModelWeights load() const { return load_weights(folder_.path()); }

  /// Loads with `from` in the config replaced by `to`.
  ModelWeights load_with(std::string_view from, std::string_view to) const {
    std::string config = config_;
    const auto at = config.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    folder_.write("config.json", config.replace(at, from.size(), to));
    return load();
  }

  /// What that is refused with, without the folder's path; "(accepted)" if it is not.
  std::string refusal_with(std::string_view from, std::string_view to) const {
    return short_refusal([&] { load_with(from, to); });
  }
  /// What the folder is refused with when its tensors are these.
  std::string refusal_of(const CheckpointWriter& tensors) const {
    folder_.write("config.json", config_);
    folder_.write("model.safetensors", tensors.text());
    return short_refusal([&] { load(); });
  }

 private:
  std::string short_refusal(const std::function<void()>& action) const {
    const std::string message = refusal(action);
    const std::string place = folder_.path() + "/";
    return message.starts_with(place) ? message.substr(place.size()) : message;
  }

  TemporaryFolder folder_;
  std::string config_;
};

}  // namespace tokenyard::test
