#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/weights/mapped_file.hpp"
#include "engine/weights/safetensors_header.hpp"

namespace tokenyard {

/// A tensor of a checkpoint and where its data lies.
struct StoredTensor {
  TensorEntry entry;
  const std::byte* data = nullptr;
  const std::string* file = nullptr;  ///< for messages; the checkpoint keeps it
};

/// The tensors of one safetensors file, or of the several that an index names, by name. The format:
/// the header's length (8 bytes, little-endian), the header (JSON), the data. Keeps the files
/// mapped; everything that the headers say is checked before one is made. Read-only, so safe to
/// share between threads.
class SafetensorsCheckpoint {
 public:
  /// What `folder` holds: model.safetensors, or the shards of model.safetensors.index.json. Throws
  /// an `InputError` that names file and tensor.
  static std::shared_ptr<const SafetensorsCheckpoint> open(const std::string& folder);

  /// Null when there is no such tensor. Time grows with the logarithm of their number.
  const StoredTensor* find(std::string_view name) const;
  const std::vector<StoredTensor>& tensors() const { return tensors_; }  ///< sorted by name
  /// The file, or the index of several.
  const std::string& path() const { return path_; }

 private:
  SafetensorsCheckpoint() = default;
  void add_file(const std::string& path);
  void read_index(const std::string& folder);
  void sort_tensors();

  std::string path_;
  std::vector<std::shared_ptr<const MappedFile>> files_;
  std::vector<StoredTensor> tensors_;
};

}  // namespace tokenyard
