#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tokenyard {

/// One entry of a safetensors header.
struct TensorEntry {
  std::string name;
  std::string dtype;                 ///< as the file names it: "F32", "BF16", "BOOL"…
  std::vector<std::uint64_t> shape;  ///< rows first; empty for a scalar
  std::uint64_t begin = 0;           ///< in bytes, counted from the end of the header
  std::uint64_t end = 0;             ///< one past the last byte
};

/// Bytes of an element of a type that the format knows, or 0.
std::uint64_t dtype_bytes(std::string_view dtype);

/// Reads the JSON header of the safetensors file `path`, of which `data_bytes` follow it. Takes
/// time and memory in proportion to the header. Throws an `InputError` that names file and tensor
/// for what is no such header, a duplicate or incomplete entry, and for offsets that lie outside
/// the data, overlap, or do not hold just as much as shape and type say.
std::vector<TensorEntry> parse_safetensors_header(std::string_view header, const std::string& path,
                                                  std::uint64_t data_bytes);

}  // namespace tokenyard
